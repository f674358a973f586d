# SPDX-License-Identifier: MIT
"""A terminal's courier and journal, and the host's service and ledger, with nothing between them but this file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tests.harness.inside.inside import Inside, InsideError
from host_tests.harness.uplink.till import IKID, NOON, YES, Till
from host_tests.uncertainty import cells
from host_tests.uncertainty.cells import Row
from tools.host import codec, kinds
from tools.host.app import Host
from tools.host.issuer import Decision, Payment

_CONNECTIONS = 6  # after so many nothing may be owed any more
_FRAMES = 50
TID = "KASSA001"


class YesSayer:
    """An issuer that approves everything, and says the same when it is asked again."""

    async def decide(self, payment: Payment) -> Decision:
        """See issuer.Issuer."""
        if payment.type == kinds.BALANCE:
            return Decision("00", balance=123_456)
        return Decision("00", cells.AUTH)


class Shop:
    """One till and its host in `home`, which opens no port. A context manager: the ledger is closed at its end."""

    def __init__(self, inside: Inside, home: Path) -> None:
        self.inside = inside
        self.host = Host(home, issuer=YesSayer(), now=lambda: NOON)
        self.host.register(TID, "898000000000001", IKID.hex())
        self.service, self.loop = self.host._service, self.host._loop  # no thread runs them
        self.till = Till(inside, home / "chip.bin")
        self.till.boot()

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, *_: object) -> None:
        self.host.stop()
        self.loop.close()

    # -- the seam ---------------------------------------------------------------------------------------------------

    def pull(self) -> bytes:
        """Whole frames that the courier wants to send now."""
        return bytes.fromhex(self.till.fill())

    def work(self, sent: bytes) -> bytes:
        """What the host answers to these frames: all that it says is committed."""
        buffer = bytearray(sent)
        messages = [self.service.authenticated(frame) for frame in codec.split(buffer)]
        assert not buffer and all(messages), "the host took every frame"
        replies = self.loop.run_until_complete(self.service.answer([message for message in messages if message]))
        return b"".join(self.service.envelope(reply) for reply in replies)

    def connect(self) -> None:
        self.till.open()
        self.till.feed(self.work(self.pull()).hex())
        assert self.till.state()["handshaken"]

    def talk(self) -> None:
        """Answer whatever comes, until nothing comes any more."""
        for _ in range(_FRAMES):
            sent = self.pull()
            if not sent:
                return
            self.till.feed(self.work(sent).hex())
        raise AssertionError("the courier never comes to an end")

    def drain(self) -> None:
        """The network is back and stays: connections, each to its end, until nothing is owed."""
        state: dict[str, Any] = {}
        for _ in range(_CONNECTIONS):
            self.connect()
            self.talk()
            self.till.lost()
            state = self.till.state()
            if not state["work"] and not state["reversing"]:
                return
        raise AssertionError(f"still owed after {_CONNECTIONS} connections: {state}")

    def own(self, call: str, *args: Any) -> Any:
        """A case of cases_uncertainty."""
        return self.inside("uncertainty", call, *args)

    def dies(self, *steps: Callable[[], Any]) -> None:
        """Power dies within one of these steps, at the first thing it writes."""
        while self.till.idle():
            pass
        self.own("cut")
        try:
            for step in steps:
                step()
        except InsideError as cut:
            assert cut.kind == "PowerCut", cut
            return
        raise AssertionError("nothing was written")

    # -- the cashier ------------------------------------------------------------------------------------------------

    def begin(self, row: Row, original: int, reference: str) -> int:
        """Up to the moment where the host is to hear of it; the sequence of its record, 0 = the batch close."""
        how = {"original": original if row.named else 0, "code": row.code, "extra": row.extra}
        how["track"] = cells.CARD if row.card else ""
        if row.kind == 0x25:
            how["extra"] = "DF0406" + reference
        if row.how == cells.CLOSING:
            self.till.close()
            return 0
        if row.how == cells.OFFLINE:
            return self.own("accept", row.amount, cells.CARD, row.key == "73")
        if row.how == cells.TOLD:
            return self.till.cash(row.amount) if row.kind == 0x71 else self.own("advise", row.kind, row.amount, how)
        sequence = self.own("ask", row.kind, row.amount, how)
        if row.how == cells.PUT_OFF:
            self.own("failed")
            assert self.till.unsent(sequence, row.amount, cells.CARD, True)
        return sequence

    def settled_before(self, kind: int, amount: int) -> tuple[int, str]:
        """A payment that is answered yes: its sequence, and the reference on its slip."""
        told = kind in (cells.VOICE, cells.CASH)
        like = next(row for row in cells.ROWS if row.kind == kind)
        row = like._replace(amount=amount, how=cells.TOLD if told else cells.ASKED)
        sequence = self.begin(row, 0, "")
        self.drain()
        state = self.till.state()
        assert told or state["outcome"] == YES, state
        return sequence, state["rrn"]

    def close_batch(self) -> None:
        """The cashier settles: both sides have the same totals at once, and nothing is uploaded."""
        self.till.close()
        self.drain()
        state = self.till.state()
        assert (state["outcome"], state["uploaded"], state["closed"]) == (YES, 0, state["sequence"]), state

    # -- eyes -------------------------------------------------------------------------------------------------------

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The ledger by plain SQL."""
        with sqlite3.connect(self.host.ledger.path) as db:
            return db.execute(sql, values).fetchall()

    def account(self, name: str) -> int:
        """Minor units, credits above zero."""
        return -self.query("SELECT coalesce(sum(amount), 0) FROM entry WHERE account = ?", name)[0][0]
