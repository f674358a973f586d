# SPDX-License-Identifier: MIT
"""The top bar of every page: signal and connection, time, a reversal or later refusal, pending payments or the batch."""

from micropython import const

from kassa import money
from kassa.screens import theme
from kassa.screens.canvas import RIGHT, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.screens.canvas import Canvas
    from kassa.screens.words import Words
    from kassa.status import Status

HEIGHT = const(24)

_Y = const(4)
_NO_WIFI = "\ue101"
_SIGNAL = const(0xE109)  # before the icons of a weak to a strong signal
_QUEUE_X = const(168)
_QUEUE_WIDTH = const(144)
_LINKS = ("bar_off", "bar_wifi", "bar_busy", "bar_host")  # by status.LINK_*
_INKS = (theme.ROSE, theme.AMBER, theme.SKY, theme.LIME)


class Bar:
    """Remembers what it shows, so that only changes are redrawn."""

    def __init__(self) -> None:
        self._link = -1
        self._minute = -1
        self._count = -1
        self._sum = -1
        self._batch = -1
        self._alert = ""
        self._language = ""

    def stale(self, status: "Status", words: "Words") -> bool:
        """Whether the bar on the screen differs from `status`."""
        return (
            self._link != _link(status)
            or self._minute != _minute(status)
            or self._count != status.pending_count
            or self._sum != status.pending_sum
            or self._batch != status.batch
            or self._alert != _alert(status)
            or self._language != words.language
        )

    async def draw(self, canvas: "Canvas", status: "Status", words: "Words") -> None:
        """Draw what has changed, or everything after a change of language."""
        if self._language != words.language:
            await canvas.fill(0, 0, WIDTH, HEIGHT, theme.NIGHT)
            self._language = words.language
            self._link = -1
            self._count = -1
            self._alert = " "
            self._minute = -2
        if self._link != _link(status):
            self._link, link = _link(status), status.link
            mark = chr(_SIGNAL + max(1, status.signal)) if link else _NO_WIFI
            await canvas.text(8, _Y, 16, mark, _INKS[link], theme.NIGHT)
            await canvas.text(32, _Y, 72, words.get(_LINKS[link]), theme.DAY, theme.NIGHT)
        if self._minute != _minute(status):
            minute = self._minute = _minute(status)
            text, ink = "\ue105", theme.AMBER
            if minute >= 0:
                text, ink = "%02d:%02d" % divmod(minute, 60), theme.DAY
            await canvas.text(104, _Y, 44, text, ink, theme.NIGHT)
        if self._alert != _alert(status):
            self._alert = _alert(status)
            await canvas.text(148, _Y, 16, self._alert, theme.ROSE, theme.NIGHT)
        if (self._count, self._sum, self._batch) != (status.pending_count, status.pending_sum, status.batch):
            self._count, self._sum, self._batch = status.pending_count, status.pending_sum, status.batch
            text, ink = _queue(canvas, status, words), theme.AMBER if self._count else theme.DIM
            await canvas.text(_QUEUE_X, _Y, _QUEUE_WIDTH, text, ink, theme.NIGHT, RIGHT)


def _queue(canvas: "Canvas", status: "Status", words: "Words") -> str:
    """The payments that wait; if none do, the batch. The shorter text where the whole one has no room."""
    if status.pending_count:
        amount = money.text(status.pending_sum)
        text, short = (
            words.get("bar_queue", status.pending_count, amount),
            "\ue108 %d  %s" % (status.pending_count, amount),
        )
    else:
        short = words.get("bar_clear")
        text = words.get("bar_batch", status.batch) + "  " + short
    return text if canvas.measure(0, text) <= _QUEUE_WIDTH else short


def _link(status: "Status") -> int:
    """What the left end shows, as one number."""
    return status.link << 3 | status.signal


def _minute(status: "Status") -> int:
    """The minute of the day, -1 = the clock is not confirmed."""
    return status.minute % 1440 if status.clock_trusted else -1


def _alert(status: "Status") -> str:
    """The warning icon, or "". A payment refused later takes precedence over a waiting reversal."""
    if status.refused_later:
        return "\ue107"
    return "\ue106" if status.reversing else ""
