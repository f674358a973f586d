# SPDX-License-Identifier: MIT
"""A bar chart of turnover by day, as geometry that templates/parts.html draws in SVG. Integers only: minor units, pixels."""

import datetime
from typing import NamedTuple

from tools.host.page.queries.batches import MEANS, Sums
from tools.host.page.words import money

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 10, 26  # around the bars
_TICKS = 4
_LABEL = 46  # pixels that the label of a day needs


class Bar(NamedTuple):
    """One part of a day's bar. `means`: its class."""

    x: int
    y: int
    width: int
    height: int
    means: str


class Mark(NamedTuple):
    """A label with its position."""

    at: int
    text: str


class Chart(NamedTuple):
    """A chart of `width` times `height`. `ticks`: lines of amounts by y; `days`: labels by x; `zero`: y of the axis."""

    width: int
    height: int
    left: int
    right: int
    zero: int
    bars: list[Bar]
    ticks: list[Mark]
    days: list[Mark]


def draw(days: dict[datetime.date, Sums], width: int, height: int) -> Chart:
    """The chart of some days. What was given back beyond a day's sales goes below the axis."""
    above = max([sum(max(0, day.amounts[one]) for one in MEANS) for day in days.values()] + [1])
    below = max([sum(max(0, -day.amounts[one]) for one in MEANS) for day in days.values()] + [0])
    step = _step(above + below)
    high, low = -(-above // step) * step, -(-below // step) * step
    room = height - _TOP - _BOTTOM

    def y(amount: int) -> int:
        return _TOP + (high - amount) * room // (high + low)

    bars: list[Bar] = []
    labels: list[Mark] = []
    span = width - _LEFT - _RIGHT
    every = max(1, -(-_LABEL * len(days) // span))
    for n, (day, sums) in enumerate(days.items()):
        start, end = _LEFT + span * n // len(days), _LEFT + span * (n + 1) // len(days)
        thick = min(44, max(2, (end - start) * 7 // 10))
        at = start + (end - start - thick) // 2
        up = down = 0
        for means in MEANS:
            amount = sums.amounts[means]
            if amount > 0:
                bars.append(Bar(at, y(up + amount), thick, max(1, y(up) - y(up + amount)), means))
                up += amount
            elif amount < 0:
                bars.append(Bar(at, y(down), thick, max(1, y(down + amount) - y(down)), means))
                down += amount
        if (len(days) - 1 - n) % every == 0:
            labels.append(Mark((start + end) // 2, f"{day:%m-%d}"))
    ticks = [Mark(y(amount), _short(amount)) for amount in range(-low, high + 1, step)]
    return Chart(width, height, _LEFT, width - _RIGHT, y(0), bars, ticks, labels)


def _step(span: int) -> int:
    """The distance of two lines, 1, 2 or 5 times a power of ten, in whole yuan."""
    step = 100
    while True:
        for times in (1, 2, 5):
            if step * times * _TICKS >= span:
                return step * times
        step *= 10


def _short(amount: int) -> str:
    return money(amount).removesuffix(".00")
