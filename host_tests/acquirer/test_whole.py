# SPDX-License-Identifier: MIT
"""A terminal, the host and a card acquirer: what the acquirer's books have is what the host's accounts have."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from host_tests.harness.host import shop
from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Terminal, element
from host_tests.host.test_checks_first import complete, held, void_completion
from host_tests.host.test_voids import frame, sold, void_record
from tools.host.__main__ import main
from tools.host.acquirers import card as adapter
from tools.host.acquirers.section import Section
from tools.host.books import double_entry
from tools.host.keys import pki, secret_file
from tools.host.store.ledger import Ledger
from tools.sim.acquirer import AcquirerSimulator
from tools.sim.host import Host

NOON = datetime.datetime(2026, 11, 23, 12, 0, 0)
PASSPHRASE = "a passphrase for tests"
Start = Callable[..., Host]


@pytest.fixture(params=["cup-1987", "iso-1993"])
def sim(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AcquirerSimulator]:
    (tmp_path / "acquirer").mkdir()
    sim = AcquirerSimulator(tmp_path / "acquirer", request.param).start()
    sim.books.today = NOON.date()
    yield sim
    sim.stop()


@pytest.fixture
def start(sim: AcquirerSimulator, tmp_path: Path) -> Iterator[Start]:
    """Starts a host whose issuer is the acquirer; again after the last one stopped."""
    hosts: list[Host] = []
    home = tmp_path / "home"
    home.mkdir(mode=0o700)

    def run(**settings: int) -> Host:
        held = sim.secrets()
        ledger = Ledger(home / "host.db")
        section = Section("[card]", sim.settings(**settings), lambda name: held[name])
        host = Host(home, issuer=adapter.create(section, ledger), now=lambda: NOON)
        host.register("KASSA001", shop.MID, IKID.hex())
        hosts.append(host)
        return host.start()

    yield run
    for host in hosts:
        host.stop()


def connect(host: Host, till: Terminal | None = None) -> Terminal:
    pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
    till = (till or Terminal()).connect(host.port, host.home)
    assert till.ask(till.handshake()).code == "00"
    return till


def agrees(host: Host, sim: AcquirerSimulator) -> None:
    """To the cent: what the acquirer owes is what the host says that it owes."""
    host.wait_until_told()
    assert sim.books.owed() == host.view()["accounts"]["card receivable"]
    assert host.view()["unbalanced"] == []


def test_a_day_from_the_first_sale_to_the_reconciled_file(
    sim: AcquirerSimulator, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = start()
    till = connect(host)
    shop.add_merchant(host.ledger)
    shop.trade(till, Card())
    agrees(host, sim)
    assert sim.books.owed() == sum(shop.SALES) - shop.GIVEN_BACK
    shop.close(till)
    till.hang_up()
    host.stop()

    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "passphrase").chmod(0o600)
    monkeypatch.setenv("KASSA_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    home = str(host.home)
    (host.home / "kassa-host.toml").write_text("[keys]\ntest = true\n")
    (host.home / "acquirers.toml").write_text("[card]\n" + "".join(f"{n} = {v!r}\n" for n, v in sim.settings().items()))
    secret_file.write(host.home, sim.secrets(), PASSPHRASE)

    def command(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == status, result.output
        return result.output

    said = command("acquirer", "--home", home, "settle", "--day", shop.DAY)
    assert said == f"156  debits {shop.DEBIT / 100:.2f}, credits {shop.CREDIT / 100:.2f}  balanced\n"
    assert command("acquirer", "--home", home, "settle", "--day", shop.DAY) == said
    assert sim.heard["settlement"] == 1 and sim.heard["settlement again"] == 0

    theirs, file = tmp_path / "theirs.csv", tmp_path / "ours.csv"
    theirs.write_text(sim.report(NOON.date()))
    said = command("acquirer", "--home", home, "report", str(theirs), str(file))
    assert said == "6 lines, 0 of them about no transaction of ours\n"
    said = command("reconcile", "--home", home, "--from", "card", "--by", "Ms Li", str(file))
    assert "0 differences are open" in said
    ledger = Ledger(host.home / "host.db")
    with ledger.read() as db:
        balances = double_entry.balances(db)
    ledger.close()
    assert balances["card receivable"] == 0
    assert balances["acquirer fees"] == sim.books.fee * (len(shop.SALES) + 1)


@pytest.mark.parametrize("mood", ["deaf", "silent", "late", "cut before", "cut after", "amount", "half", "96 after"])
def test_a_sale_without_an_answer_is_reversed_at_the_acquirer(sim: AcquirerSimulator, start: Start, mood: str) -> None:
    host = start(answer_ms=600)
    till, card = connect(host), Card()
    assert till.ask(till.sale(till.record(800, card.tap(800), kind=0x52))).code == "00"
    sim.plan(mood)
    sale = till.record(1250, card.tap(1250), kind=0x52)
    assert till.ask(till.sale(sale)).code in ("91", "96", "98")
    assert till.ask(till.reversal(sale)).code == "00"
    agrees(host, sim)
    sim.release()
    agrees(host, sim)
    assert sim.books.owed() == 800 and sim.heard["reversal"] == 1
    till.hang_up()


@pytest.mark.parametrize("mood", ["deaf", "silent", "cut after"])
def test_a_deferred_sale_is_repeated_after_a_restart_and_taken_once(
    sim: AcquirerSimulator, start: Start, mood: str
) -> None:
    host = start(answer_ms=600)
    till = connect(host)
    sim.plan(mood)
    sale = till.record(1250, Card().tap(1250))
    assert till.ask(till.sale(sale, deferred=True)).code == "91"
    till.hang_up()
    host.stop()
    host = start()
    connect(host, till)
    assert till.ask(till.sale(sale, deferred=True)).code == "00"
    agrees(host, sim)
    assert sim.books.owed() == 1250
    assert (sim.heard["request"], sim.heard["request again"]) == (1, 1)  # the same STAN: it is in the books once
    assert len(sim.books.entries) == 1
    till.hang_up()


def test_everything_that_changes_a_payment_reaches_the_acquirer(sim: AcquirerSimulator, start: Start) -> None:
    host = start()
    till, card = connect(host), Card()
    code = held(till, card, 5000)
    completion, answer = complete(till, card, 5500, code)
    assert answer.code == "00", answer.text
    first, second = sold(till, card, 1250), sold(till, card, 800)
    agrees(host, sim)
    assert sim.books.owed() == 5500 + 1250 + 800
    tip = till.record(900, b"\xdf\x02\x10" + second.uid, type=0x34, at_42=b"\0", at_48=second.raw[48:53], at_54=b"\0\1")
    named = {"de_22": b"\0\x20", "de_61": element(61, second.batch + second.stan, 12)}
    assert till.ask(till.payment(0x0220, "34", tip, **named)).code == "00"
    assert void_completion(till, completion)[1].code == "00"
    void = void_record(till, first)
    assert till.ask(frame(till, void, first)).code == "00"
    agrees(host, sim)
    assert sim.books.owed() == 900
    undo = {"de_39": b"98", "de_61": element(61, void.batch + void.stan, 12)}
    assert till.ask(frame(till, void, first, 0x0400, **undo)).code == "00"
    agrees(host, sim)
    assert sim.books.owed() == 900 + 1250, "a sale whose void was reversed is still a sale"
    asked = till.record(0, card.tap(0), kind=0x52, type=0x01)
    answer = till.ask(till.payment(0x0200, "01", asked, de_3=b"\x31\0\0"))
    assert answer.code == "00" and answer.elements[54] == f"1002156C{10_000_000 - 2150:012}".encode()
    till.hang_up()


def test_a_card_that_the_issuer_refuses_is_refused_at_the_till_with_a_reason(
    sim: AcquirerSimulator, start: Start
) -> None:
    host = start()
    till, card = connect(host), Card()
    sim.books.blocked.add(card.pan)
    answer = till.ask(till.sale(till.record(1250, card.tap(1250), kind=0x52)))
    assert answer.code == "62" and answer.text
    forged = till.ask(till.sale(till.record(1250, card.tap(1250, t9F26="0011223344556677"), kind=0x52)))
    assert (forged.code, forged.text) == ("59", "Card not genuine")
    agrees(host, sim)
    assert sim.books.owed() == 0
    till.hang_up()


def test_a_host_without_an_acquirer_says_so(tmp_path: Path) -> None:
    Ledger(tmp_path / "host.db").close()
    for arguments in (["settle", "--day", shop.DAY], ["report", __file__, str(tmp_path / "out.csv")]):
        result = CliRunner().invoke(main, ["acquirer", "--home", str(tmp_path), *arguments])
        assert result.exit_code == 1 and "no card acquirer" in result.output
