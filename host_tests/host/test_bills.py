# SPDX-License-Identifier: MIT
"""The wallets' daily bills against the payments: missing here, missing there, amount and fee differ."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from host_tests.harness.host.desk import rows
from host_tests.harness.host.scripted_provider import ScriptedProvider
from host_tests.harness.host.terminal import IKID, Record, Terminal
from host_tests.host.conftest import NOON
from host_tests.host.test_limits import wait_for
from tools.host.__main__ import main as command
from tools.host.acquirers.provider import NO, WAITING, YES, BillLine, Outcome
from tools.host.acquirers.wallets import Wallet, Wallets
from tools.host.books import differences
from tools.host.errors import OperatorError, ProviderFault
from tools.host.keys import pki
from tools.host.operations import bills, outbox_work
from tools.host.store.ledger import Ledger
from tools.sim.host import Host

WECHAT, ALIPAY = b"134567890123456789", b"281234567890123456"
DAY = NOON.date()
FEE = 60  # basis points


class Biller(ScriptedProvider):
    """`lines`: its bill; None: it is not there yet; a fault: it cannot be fetched."""

    lines: Sequence[BillLine] | None | Exception = None
    fetched = 0

    async def bill(self, day: datetime.date) -> Sequence[BillLine] | None:
        self.fetched += 1
        if isinstance(self.lines, Exception):
            raise self.lines
        return self.lines


@pytest.fixture
def wallets(tmp_path: Path) -> Iterator[Wallets]:
    ledger = Ledger(tmp_path / "host.db")
    kinds = ("wechat", "alipay")
    yield Wallets(ledger, [Wallet(kind, kind, Biller(pay=Outcome(YES), undo=Outcome(YES)), fee=FEE) for kind in kinds])
    ledger.close()


@pytest.fixture
def host(tmp_path: Path, wallets: Wallets) -> Iterator[Host]:
    with Host(tmp_path, wallet=wallets, now=lambda: NOON) as host:
        host.register("KASSA001", "898000000000001", IKID.hex())
        yield host


@pytest.fixture
def till(host: Host) -> Iterator[Terminal]:
    pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
    terminal = Terminal().connect(host.port, host.home)
    assert terminal.ask(terminal.handshake()).code == "00"
    yield terminal
    terminal.hang_up()


def paid(till: Terminal, amount: int, code: bytes = WECHAT) -> Record:
    body = b"\xdf\x03" + bytes((len(code),)) + code
    record = till.record(amount, body, kind=0x52, type=0x74, at_42=b"\3", at_48=bytes(5))
    record.entry = b"\3\x20"
    assert till.ask(till.payment(0x0200, "74", record)).code == "00"
    return record


def line(record: Record, amount: int, fee: int | None = None) -> BillLine:
    return BillLine(record.uid.hex(), amount, (amount * FEE + 5_000) // 10_000 if fee is None else fee)


def fetch(host: Host, wallets: Wallets, name: str, lines: Sequence[BillLine] | None | Exception) -> bills.Fetched:
    wallet = wallets.wallets[name]
    wallet.provider.lines = lines  # type: ignore[attr-defined]
    return bills.run(host.ledger, [wallet], host.home / "bills", DAY, "Ms Li")[0]


def listed(host: Host) -> list[tuple[str, int, int]]:
    with host.ledger.read() as db:
        return sorted((row.what, row.ours, row.theirs) for row in differences.listed(db))


def test_a_bill_that_agrees_brings_the_money_and_nothing_else(host: Host, till: Terminal, wallets: Wallets) -> None:
    records = [paid(till, amount) for amount in (1250, 990, 1)]
    paid(till, 5000, ALIPAY)  # in the other wallet's bill
    told = fetch(
        host, wallets, "wechat", [line(one, amount) for one, amount in zip(records, (1250, 990, 1), strict=True)]
    )
    assert told.done is not None and (told.done.lines, told.done.amount) == (3, 2241)
    assert listed(host) == []
    money = dict(rows(host, "SELECT account, sum(amount) FROM statement GROUP BY account"))
    assert money["bank"] == 2241 - (8 + 6) and money["acquirer fees"] == 14
    again = fetch(host, wallets, "wechat", ProviderFault("is not asked again"))
    assert again.done is not None and again.done.before and wallets.wallets["wechat"].provider.fetched == 1  # type: ignore[attr-defined]


def test_each_kind_of_difference_is_listed_to_the_cent(host: Host, till: Terminal, wallets: Wallets) -> None:
    agreed, other, dear, absent = (paid(till, amount) for amount in (1000, 2000, 3000, 4000))
    lines = [
        line(agreed, 1000),
        line(other, 1900, 11),
        line(dear, 3000, 20),
        BillLine("ab" * 16, 700, 4),
        BillLine("TILL-9*7", 1, 0),
    ]
    fetch(host, wallets, "wechat", lines)
    assert listed(host) == [
        ("missing here", 0, 1),
        ("missing here", 0, 700),
        ("missing there", 4000, 0),
        ("other amount", 2000, 1900),
        ("other fee", 18, 20),
    ]
    assert absent.uid.hex() in rows(host, "SELECT uid FROM difference WHERE what = 'missing there'")[0]


def test_what_was_paid_and_undone_is_no_line_but_one_that_was_only_paid_is(
    host: Host, till: Terminal, wallets: Wallets
) -> None:
    undone, kept = paid(till, 1250), paid(till, 800)
    for record in (undone, kept):
        assert till.ask(till.reversal(record, "74")).code == "00"
    fetch(host, wallets, "wechat", [line(undone, 1250), line(undone, -1250, -8), line(kept, 800)])
    assert listed(host) == [("undone but paid", 0, 800)]


@pytest.mark.parametrize("lines, words", [(None, "not there yet"), (ProviderFault("no answer"), "no answer")])
def test_a_bill_that_cannot_be_had_is_said_and_fetched_again(
    host: Host, till: Terminal, wallets: Wallets, lines: Exception | None, words: str
) -> None:
    record = paid(till, 1250)
    told = fetch(host, wallets, "wechat", lines)
    assert told.done is None and words in told.trouble and listed(host) == []
    told = fetch(host, wallets, "wechat", [line(record, 1250)])
    assert told.done is not None and told.done.lines == 1 and listed(host) == []


def test_no_bill_of_a_day_without_payments_is_an_empty_one(host: Host, till: Terminal, wallets: Wallets) -> None:
    paid(till, 1250)
    told = fetch(host, wallets, "alipay", None)
    assert told.done is not None and told.done.lines == 0 and not list((host.home / "bills").iterdir())


def test_an_empty_bill_lists_what_it_lacks(host: Host, till: Terminal, wallets: Wallets) -> None:
    paid(till, 1250)
    fetch(host, wallets, "wechat", [])
    assert listed(host) == [("missing there", 1250, 0)]


def test_what_cannot_be_undone_outside_is_ended_by_a_person(host: Host, till: Terminal, wallets: Wallets) -> None:
    record = paid(till, 1250)
    wallets.wallets["wechat"].provider.says["undo"] = [Outcome(NO)]  # type: ignore[attr-defined]
    uid = record.uid.hex()
    assert till.ask(till.reversal(record, "74")).code == "00"
    with host.ledger.write() as db:
        db.execute(text("UPDATE wallet_order SET asked = asked - 60000"))
    with pytest.raises(OperatorError, match="nothing is still"), host.ledger.write() as db:
        outbox_work.end(db, "KASSA001", "ff" * 16, "undo", "Ms Li", "in cash")
    wait_for(lambda: rows(host, "SELECT state FROM wallet_order") == [("KEPT",)])
    wait_for(lambda: "by hand" in (rows(host, "SELECT trouble FROM outbox")[0][0] or ""))
    arguments = ["outbox", "--home", str(host.home), "end", "KASSA001", uid, "--by", "Ms Li", "--why", "in cash"]
    if host.ledger.is_sqlite:
        assert "12.50" in CliRunner().invoke(command, arguments).output
    else:
        with host.ledger.write() as db:
            assert outbox_work.end(db, "KASSA001", uid, "undo", "Ms Li", "in cash") == 1250
    assert "by Ms Li" in rows(host, "SELECT done FROM outbox")[0][0]
    fetch(host, wallets, "wechat", [line(record, 1250)])
    assert listed(host) == [("undone but paid", 0, 1250)]


class Notifier(Biller):
    """A notification is the reference itself, with the right key in its header."""

    def hint(self, headers: Mapping[str, str], body: bytes) -> str:
        if headers.get("x-key") != "right":
            raise ProviderFault("another key")
        return body.decode()


def test_a_notification_only_makes_the_host_ask(host: Host, till: Terminal, wallets: Wallets) -> None:
    notifier = Notifier(pay=Outcome(WAITING, again=3600), query=[Outcome(WAITING, again=3600), Outcome(YES)])
    wallets.wallets["wechat"] = Wallet("wechat", "wechat", notifier)  # type: ignore[index]
    body = b"\xdf\x03" + bytes((len(WECHAT),)) + WECHAT
    record = till.record(1250, body, kind=0x52, type=0x74, at_42=b"\3", at_48=bytes(5))
    record.entry = b"\3\x20"
    assert till.ask(till.payment(0x0200, "74", record)).code == "09"

    def notify(name: str = "wechat", key: str = "right", content: bytes = record.uid.hex().encode()) -> int:
        url = f"http://127.0.0.1:{host.page_port}/api/notify/{name}"
        return httpx.post(url, content=content, headers={"x-key": key}, timeout=10).status_code

    assert (notify("alipay"), notify("other"), notify(key="wrong")) == (404, 404, 400)
    assert notify(content=b"f" * 32) == 204 and notifier.asked[-1][0] == "pay"
    assert notify() == 204
    wait_for(lambda: [call for call, _ in notifier.asked] == ["pay", "query"])
    assert rows(host, "SELECT state FROM wallet_order") == [("WAITING",)], "what it says is not believed"
    assert notify() == 204
    wait_for(lambda: rows(host, "SELECT state FROM wallet_order") == [("PAID",)])
    assert till.ask(till.payment(0x0200, "74", record)).code == "00"


def test_two_empty_bills_are_not_one(host: Host, till: Terminal, wallets: Wallets) -> None:
    """They have the same content: what the second wallet should have had used to be listed nowhere."""
    assert fetch(host, wallets, "wechat", []).done is not None and listed(host) == []
    paid(till, 1250, ALIPAY)
    fetch(host, wallets, "alipay", [])
    assert listed(host) == [("missing there", 1250, 0)]


@pytest.mark.parametrize("reference", ["=1+1", "", "订单 7", "@SUM(A1)", "a" * 300, "x,y\n-7"])
def test_what_others_call_their_orders_does_not_keep_a_bill_from_being_read(
    host: Host, till: Terminal, wallets: Wallets, reference: str
) -> None:
    """The account may be used without us. The whole day used to be refused, at each attempt."""
    record = paid(till, 1250)
    told = fetch(host, wallets, "wechat", [line(record, 1250), BillLine(reference, 700, 4)])
    assert told.done is not None and told.done.amount == 1950, told.trouble
    assert listed(host) == [("missing here", 0, 700)]
    assert rows(host, "SELECT substr(reference, 1, 6) FROM difference") == [("other-",)]


def test_an_order_of_somebody_else_is_never_taken_for_one_of_ours(host: Host, till: Terminal, wallets: Wallets) -> None:
    """Twelve digits are one of our retrieval reference numbers in an acquirer's file, and nothing in a wallet's bill."""
    record = paid(till, 1250)
    [(number,)] = rows(host, "SELECT rrn FROM payment")
    fetch(host, wallets, "wechat", [BillLine(number, 1250, 8), line(record, 1250)])
    assert listed(host) == [("missing here", 0, 1250)]
