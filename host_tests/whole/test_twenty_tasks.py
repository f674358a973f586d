# SPDX-License-Identifier: MIT
"""A shop's daily tasks, done by reading the screen alone; the keys each takes stand in docs/performance.md."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.bench import page, tasks
from tools.bench.tasks import TASKS, count
from tools.cashier import CashierActions

AT_MOST = {"keys_card": len("1280") + 1, "keys_cash": len("2000") + 1 + len("5000") + 1}


@pytest.fixture
def counted(make_cashier: Callable[..., Cashier]) -> dict[str, int]:
    """The keys of each task, done one after the other on one terminal."""
    cashier = make_cashier(**tasks.STAFFED)
    CashierActions.sign_on(cashier)
    return {f"keys_{task.name}": count(task, cashier) for task in TASKS}


def on_the_page() -> dict[str, int]:
    table = page.PAGE.read_text().split(tasks.BEGIN)[1].split(tasks.END)[0]
    return {name: int(keys) for name, keys in re.findall(r"`(keys_\w+)` \| (\d+) \|", table)}


def test_every_task_is_done_and_takes_the_keys_that_the_page_says(counted: dict[str, int]) -> None:
    """A card sale takes the digits of its amount and one key; a cash sale the same, and the cash given."""
    assert len(TASKS) >= 20 and len({task.name for task in TASKS}) == len(TASKS)
    assert {name: counted[name] for name in AT_MOST} == AT_MOST
    assert counted == on_the_page()
