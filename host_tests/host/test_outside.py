# SPDX-License-Identifier: MIT
"""Those outside misbehave: one who is silent holds up nobody else, and an answer that makes no sense is none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import books
from host_tests.harness.host.terminal import Terminal
from host_tests.host.test_restore import asked, back_up, put_back
from host_tests.host.test_upload import by_code, sold, upload
from tools.host.errors import IssuerFault
from tools.host.outside.issuer import Decision, Payment
from tools.host.outside.wallet import Revocation
from tools.sim.host import Host

_PATIENCE = 20.0  # seconds; less than the host waits for one answer


async def away(*_: object) -> None:
    raise IssuerFault("away")


def test_a_wallet_is_told_while_the_issuer_is_silent(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked, revoke = threading.Event(), host.wallet.revoke

    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    async def revoking(what: Revocation) -> None:
        await revoke(what)
        revoked.set()

    sale, code = sold(till, card), by_code(till)
    monkeypatch.setattr(host.simulator, "undo", silent)
    monkeypatch.setattr(host.wallet, "revoke", revoking)
    reversals = [till.reversal(sale), till.reversal(code, "74")]
    till.send(*reversals)  # answered together, so told together
    assert [till.receive().code for _ in reversals] == ["00", "00"]
    assert revoked.wait(_PATIENCE)


@pytest.mark.parametrize("code", ["", "0", "000", "0\u00e9", "a1", "94", "97", 0, None])
def test_a_decision_that_cannot_be_sent_is_no_decision(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch, code: Any
) -> None:
    """It used to be stored as final, and broke the connection each time it was to be sent: nothing behind it came through.

    To a terminal, 94 means that the host has approved it before, and 97 that the host does not know the terminal.
    """
    decide = host.simulator.decide

    async def odd(payment: Payment) -> Decision:
        return Decision(code) if payment.amount == 1250 else await decide(payment)

    monkeypatch.setattr(host.simulator, "decide", odd)
    first, second = (till.record(amount, card.tap(amount)) for amount in (1250, 800))
    till.send(till.sale(first, deferred=True), till.sale(second, deferred=True))
    assert [till.receive().code for _ in range(2)] == ["91", "00"]
    monkeypatch.setattr(host.simulator, "decide", decide)
    assert till.ask(till.sale(first, deferred=True)).code == "00" and books(host) == (2050, 0, 0)


@pytest.mark.on_sqlite("copies its file")
@pytest.mark.parametrize("way", ["reversed", "uploaded"])
def test_what_a_lost_host_had_asked_for_is_undone(
    new_host: Callable[[], Host], host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The issuer and the wallet have approved it; the host, restored from a backup, knows nothing of it."""
    first = sold(till, card)
    backup = back_up(host)
    sale, code = till.record(700, card.tap(700), kind=0x52), by_code(till)
    assert till.ask(till.sale(sale)).code == "00"
    if way == "uploaded":
        monkeypatch.setattr(host.simulator, "undo", away)
        monkeypatch.setattr(host.wallet, "revoke", away)
        assert [till.ask(till.reversal(sale)).code, till.ask(till.reversal(code, "74")).code] == ["00", "00"]
        till.batch += 1  # as if it had closed since: the host sees that it is behind
    host = put_back(host, new_host, till, backup)
    undone: set[str] = set()

    async def undo(_tid: str, uid: bytes) -> None:
        undone.add(uid.hex())

    async def revoke(what: Revocation) -> None:
        undone.add(what.uid.hex())

    monkeypatch.setattr(host.simulator, "undo", undo)
    monkeypatch.setattr(host.wallet, "revoke", revoke)
    if way == "reversed":
        assert [till.ask(till.reversal(sale)).code, till.ask(till.reversal(code, "74")).code] == ["25", "25"]
    else:
        assert asked(till)[0] == 2 and upload(till, first).code == "00"
        assert [upload(till, sale, False).code, upload(till, code, False, "74").code] == ["00", "00"]
    host.wait_until_told()
    assert undone == {sale.uid.hex(), code.uid.hex()} and books(host) == (1250, 0, 0)
