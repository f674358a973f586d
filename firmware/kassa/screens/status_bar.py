# SPDX-License-Identifier: MIT
"""The top bar of every page: connection, clock trust, a reversal or later refusal, pending payments."""

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
_LINKS = ("bar_off", "bar_wifi", "bar_busy", "bar_host")  # by status.LINK_*
_MARKS = (_NO_WIFI, "\ue100", "\ue102", "\ue103")
_INKS = (theme.ROSE, theme.AMBER, theme.SKY, theme.LIME)


class Bar:
    """Remembers what it shows, so that only changes are redrawn."""

    def __init__(self) -> None:
        self._link = -1
        self._clock = False
        self._count = -1
        self._sum = -1
        self._alert = ""
        self._language = ""

    def stale(self, status: "Status", words: "Words") -> bool:
        """Whether the bar on the screen differs from `status`."""
        return (
            self._link != status.link
            or self._clock != status.clock_trusted
            or self._count != status.pending_count
            or self._sum != status.pending_sum
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
            self._clock = not status.clock_trusted
        if self._link != status.link:
            link = self._link = status.link
            await canvas.text(8, _Y, 16, _MARKS[link], _INKS[link], theme.NIGHT)
            await canvas.text(32, _Y, 72, words.get(_LINKS[link]), theme.DAY, theme.NIGHT)
        if self._clock != status.clock_trusted:
            trusted = self._clock = status.clock_trusted
            ink = theme.DIM if trusted else theme.AMBER
            await canvas.text(104, _Y, 16, "\ue104" if trusted else "\ue105", ink, theme.NIGHT)
        if self._alert != _alert(status):
            self._alert = _alert(status)
            await canvas.text(120, _Y, 16, self._alert, theme.ROSE, theme.NIGHT)
        if self._count != status.pending_count or self._sum != status.pending_sum:
            count = self._count = status.pending_count
            self._sum = status.pending_sum
            text = words.get("bar_queue", count, money.text(self._sum)) if count else words.get("bar_clear")
            ink = theme.AMBER if count else theme.DIM
            await canvas.text(136, _Y, 176, text, ink, theme.NIGHT, RIGHT)


def _alert(status: "Status") -> str:
    """The warning icon, or "". A payment refused later takes precedence over a waiting reversal."""
    if status.refused_later:
        return "\ue107"
    return "\ue106" if status.reversing else ""
