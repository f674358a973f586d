# SPDX-License-Identifier: MIT
"""A terminal's courier and journal, connected to the host's service and ledger only by this file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tests.harness.in_micropython.runner import Inside, InsideError
from host_tests.harness.uplink.till import IKID, NOON, YES, Till
from host_tests.uncertainty import cells
from host_tests.uncertainty.cells import Row
from tools.host.outside.issuer import Advice, Decision, Payment
from tools.host.wire import codec, kinds
from tools.sim.host import Host

_CONNECTIONS = 6  # after this many, nothing may be left to send
_FRAMES = 50
TID = "KASSA001"


class YesSayer:
    """An issuer that approves everything and gives a repeated request the same answer."""

    async def decide(self, payment: Payment) -> Decision:
        """See issuer.Issuer."""
        if payment.type == kinds.BALANCE:
            return Decision("00", balance=123_456)
        return Decision("00", cells.AUTH)

    async def tell(self, advice: Advice) -> None:
        """See issuer.Issuer."""

    async def undo(self, tid: str, uid: bytes) -> None:
        """See issuer.Issuer."""


class TerminalAndHost:
    """One till and its host, with files in `home` and no open port. As a context manager, it closes the ledger."""

    def __init__(self, inside: Inside, home: Path) -> None:
        self.inside = inside
        self.host = Host(home, issuer=YesSayer(), now=lambda: NOON)
        self.host.register(TID, "898000000000001", IKID.hex())
        self.service, self.loop = self.host.service, self.host._loop  # run by this class, not by a thread
        self.till = Till(inside, home / "chip.bin")
        self.till.boot()

    def __enter__(self) -> TerminalAndHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.host.stop()
        self.loop.close()

    # -- till and host ----------------------------------------------------------------------------------------------

    def frames_to_send(self) -> bytes:
        """The complete frames that the courier sends now."""
        return bytes.fromhex(self.till.fill())

    def host_answers(self, sent: bytes) -> bytes:
        """The host's answers to these frames. The host has committed everything that it answers."""
        buffer = bytearray(sent)
        messages = [self.service.authenticated(frame) for frame in codec.split(buffer)]
        assert not buffer and all(messages), "the host accepted every frame"
        replies = self.loop.run_until_complete(self.service.answer([message for message in messages if message]))
        return b"".join(self.service.envelope(reply) for reply in replies)

    def connect(self) -> None:
        self.till.open()
        self.till.feed(self.host_answers(self.frames_to_send()).hex())
        assert self.till.state()["handshaken"]

    def exchange_all(self) -> None:
        """Answer every frame until the courier sends nothing more."""
        for _ in range(_FRAMES):
            sent = self.frames_to_send()
            if not sent:
                return
            self.till.feed(self.host_answers(sent).hex())
        raise AssertionError("the courier does not stop sending")

    def tell_outside(self) -> None:
        """The host tells issuer and wallet what they are still to be told."""
        while self.loop.run_until_complete(self.service.messenger.deliver()):
            pass

    def drain(self) -> None:
        """The network is back: open connections, and use each to its end, until nothing is left to send."""
        state: dict[str, Any] = {}
        for _ in range(_CONNECTIONS):
            self.connect()
            self.exchange_all()
            self.till.lost()
            state = self.till.state()
            if not state["work"] and not state["reversing"]:
                self.tell_outside()
                return
        raise AssertionError(f"still to send after {_CONNECTIONS} connections: {state}")

    def call_case(self, call: str, *args: Any) -> Any:
        """Call a case of cases_uncertainty."""
        return self.inside("uncertainty", call, *args)

    def cut_power_during(self, *steps: Callable[[], Any]) -> None:
        """Run the steps until the first flash write, which a power cut interrupts."""
        while self.till.idle():
            pass
        self.call_case("cut")
        try:
            for step in steps:
                step()
        except InsideError as cut:
            assert cut.kind == "PowerCut", cut
            return
        raise AssertionError("nothing was written")

    # -- the cashier ------------------------------------------------------------------------------------------------

    def begin(self, row: Row, original: int, reference: str) -> int:
        """Begin a transaction, but send nothing yet. Returns the sequence of its record, 0 for the batch close."""
        how = {"original": original if row.named else 0, "code": row.code, "extra": row.extra}
        how["track"] = cells.CARD if row.card else ""
        if row.kind == 0x25:
            how["extra"] = "DF0406" + reference
        if row.how == cells.CLOSING:
            self.till.close()
            return 0
        if row.how == cells.OFFLINE:
            return self.call_case("accept", row.amount, cells.CARD, row.key == "73")
        if row.how == cells.ADVICE:
            return (
                self.till.cash(row.amount) if row.kind == 0x71 else self.call_case("advise", row.kind, row.amount, how)
            )
        sequence = self.call_case("ask", row.kind, row.amount, how)
        if row.how == cells.OFFLINE_FALLBACK:
            self.call_case("failed")
            assert self.till.unsent(sequence, row.amount, cells.CARD, True)
        return sequence

    def settled_before(self, kind: int, amount: int) -> tuple[int, str]:
        """Make an approved payment. Returns its sequence and the reference on its receipt."""
        advice = kind in (cells.VOICE, cells.CASH)
        like = next(row for row in cells.ROWS if row.kind == kind)
        row = like._replace(amount=amount, how=cells.ADVICE if advice else cells.ASKED)
        sequence = self.begin(row, 0, "")
        self.drain()
        state = self.till.state()
        assert advice or state["outcome"] == YES, state
        return sequence, state["rrn"]

    def close_batch(self) -> None:
        """Close the batch. Asserts that both sides have the same totals at once, without an upload."""
        self.till.close()
        self.drain()
        state = self.till.state()
        assert (state["outcome"], state["uploaded"], state["closed"]) == (YES, 0, state["sequence"]), state

    # -- the ledger -------------------------------------------------------------------------------------------------

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of an SQL query on the ledger."""
        with sqlite3.connect(self.host.ledger.path) as db:
            return db.execute(sql, values).fetchall()

    def account(self, name: str) -> int:
        """The balance of an account in minor units; credits are positive."""
        return -self.query("SELECT coalesce(sum(amount), 0) FROM entry WHERE account = ?", name)[0][0]
