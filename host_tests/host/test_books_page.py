# SPDX-License-Identifier: MIT
"""The example day of docs/books.md, played: every figure on the page is one of a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from host_tests.harness.host import shop
from host_tests.harness.host.card import Card
from host_tests.harness.host.shop import BY_CODE, DAY, GIVEN_BACK, MID, SALES
from host_tests.harness.host.terminal import Record, Terminal
from tools.host.__main__ import _COMMANDS
from tools.host.books import double_entry, full_audit, money, settlement
from tools.host.operations import reconcile, settle_day
from tools.sim.host import Host

PAGE = Path(__file__).resolve().parents[2] / "docs" / "books.md"


def on_the_page() -> dict[str, list[str]]:
    """The table of the example day: account -> its balance after each step."""
    section = PAGE.read_text(encoding="utf-8").split("## An example day")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {name: cells for name, *cells in rows[2:]}


def test_the_example_day_is_what_happens(host: Host, till: Terminal, card: Card) -> None:
    steps: list[dict[str, int]] = []

    def look() -> None:
        with host.ledger.read() as db:
            steps.append(double_entry.balances(db))

    day = shop.trade(till, card)
    look()
    shop.close(till)
    look()
    shop.add_merchant(host.ledger)
    settle_day.run(host.ledger, DAY, host.home / "out", None)
    look()
    with host.ledger.write() as db:
        settlement.paid(db, MID, DAY, "Ms Li")
    look()
    numbers = {row["uid"]: row["rrn"] for row in host.view()["payments"]}

    def file(name: str, *lines: tuple[Record, int, str]) -> Path:
        rows = [f"{numbers[record.uid.hex()]},{money.text(amount)},{fee},{DAY}" for record, amount, fee in lines]
        (host.home / name).write_text("\n".join(["reference,amount,fee,day", *rows]))
        return host.home / name

    sold = [(record, amount, "0.04") for record, amount in zip(day.sales, SALES, strict=True)]
    reconcile.run(host.ledger, file("cards", *sold, (day.back, -GIVEN_BACK, "")), "card", "Ms Li")
    reconcile.run(host.ledger, file("codes", (day.code, BY_CODE, "0.02")), "wallet", "Ms Li")
    look()
    played = {name: [money.text(step[name]) for step in steps] for name in double_entry.ACCOUNTS}
    table = on_the_page()
    assert {name: played[name] for name in table} == table and len(table) == 11
    assert {name for name, amounts in played.items() if set(amounts) == {"0.00"}} == played.keys() - table.keys()
    with host.ledger.read() as db:
        assert list(full_audit.differences(db)) == []


@pytest.mark.parametrize("page", sorted(PAGE.parent.glob("*.md")), ids=lambda page: page.stem)
def test_every_command_on_a_page_exists(page: Path) -> None:
    """Every word after kassa-host, where a command stands: at the beginning of a line, after bin/, or in backticks."""
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`|[ ]{4}|bin/)kassa-host ([a-z][a-z-]+)", text, re.MULTILINE))
    assert named <= _COMMANDS.keys(), named - _COMMANDS.keys()
    assert page != PAGE or len(named) > 6
