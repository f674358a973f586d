# SPDX-License-Identifier: MIT
"""An operator at the host: hands in journals by the command, and reads what became of it."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner
from sqlalchemy import text

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Record, Terminal
from tools.sim.host import Host
from tools.support.__main__ import main


def hand_in(host: Host, image: bytes, *more: str, status: int = 0) -> dict[str, Any]:
    """Hand in an image by the command; its report. Asserts the exit status."""
    path = host.home / "journal.bin"
    path.write_bytes(image)
    arguments = ["hand-in", str(path), "--home", str(host.home), "--by", "Ms Li", "--json", *more]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == status, result.output
    return json.loads(result.output) if status != 2 else {"error": result.output}


def refusal(host: Host, image: bytes, *more: str) -> str:
    return hand_in(host, image, *more, status=2)["error"]


def counts(report: dict[str, Any]) -> dict[str, int]:
    return {what: sum(count for count, _ in kinds.values()) for what, kinds in report["sums"].items()}


def whys(report: dict[str, Any]) -> dict[int, str]:
    return {line["sequence"]: f"{line['what']}: {line['why']}" for line in report["lines"]}


def owed(host: Host) -> int:
    """What is owed to the merchants, in open and closed batches, minor units."""
    accounts = host.view()["accounts"]
    return -sum(accounts[name] for name in ("terminal clearing", "merchant payable", "refunds"))


def books(host: Host) -> tuple[int, int, int]:
    """What is owed to the merchant, cash in the till, and what is held in quarantine, minor units."""
    view = host.view()
    assert view["unbalanced"] == []
    accounts = view["accounts"]
    return owed(host), accounts["cash in till"], -accounts["quarantine"]


def rows(host: Host, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query on the host's database, whichever it is."""
    with host.ledger.read() as db:
        return [tuple(row) for row in db.execute(text(sql))]


def alarms(host: Host) -> list[str]:
    return [one["what"] for one in host.view()["alarms"]]


def day(till: Terminal, card: Card) -> list[Record]:
    """Two card payments and one in cash, taken without the host."""
    return [
        till.record(1250, card.tap(1250)),
        till.record(800, type=0x71),
        till.record(3000, card.tap(3000)),
    ]
