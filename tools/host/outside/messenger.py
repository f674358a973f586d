# SPDX-License-Identifier: MIT
"""Empties the outbox: tells those outside what they are still to be told, again and again until they answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from tools.host.books.double_entry import now
from tools.host.errors import IssuerFault
from tools.host.outside import outbox
from tools.host.outside.issuer import Advice, Issuer
from tools.host.outside.wallet import Revocation, Wallet
from tools.host.store.ledger import Ledger
from tools.host.wire import kinds

_log = logging.getLogger("kassa.host")
_PAUSE = 2.0  # seconds between looks at the outbox, if nothing wakes it
_WAIT = 25.0  # seconds for an answer

InThread = Callable[..., Awaitable[Any]]


class Messenger:
    """Tells issuer and wallet. `in_thread` does work on the database in a thread."""

    def __init__(self, ledger: Ledger, issuer: Issuer, wallet: Wallet, in_thread: InThread) -> None:
        self._ledger = ledger
        self._issuer, self._wallet = issuer, wallet
        self._in_thread = in_thread
        self._woken, self._hinted = asyncio.Event(), asyncio.Event()

    def wake(self) -> None:
        """Something may have been put into the outbox, or an order may be due."""
        self._woken.set()
        self._hinted.set()

    async def run(self) -> None:
        """Deliver and tend for ever; another process may do the same. Neither waits for the other."""
        await asyncio.gather(
            self._for_ever(self._deliver_all, self._woken), self._for_ever(self._wallet.tend, self._hinted)
        )

    async def _for_ever(self, work: Callable[[], Awaitable[None]], woken: asyncio.Event) -> None:
        """Whatever goes wrong, it is tried again: nobody starts this anew."""
        while True:
            woken.clear()
            try:
                await work()
            except SQLAlchemyError as fault:
                _log.error("outbox: %s", type(fault).__name__)
            except Exception as fault:  # of a wallet, which may be anybody's
                _log.error("outside: %s", type(fault).__name__)
            try:
                await asyncio.wait_for(woken.wait(), _PAUSE)
            except TimeoutError:
                pass

    async def _deliver_all(self) -> None:
        while await self.deliver():
            pass

    async def deliver(self) -> int:
        """Tell everything that is due, once. Returns how many of them were done.

        What is about different payments is told at the same time, so that one who does not answer holds up nobody else.
        """
        rows: dict[tuple[str, str], list[Row[Any]]] = {}
        for row in await self._in_thread(self._due):
            rows.setdefault((row.tid, row.original or row.uid), []).append(row)
        return sum(await asyncio.gather(*(self._some(some) for some in rows.values())))

    async def _some(self, rows: list[Row[Any]]) -> int:
        """Tell what is about one payment, one after the other. Returns how many were done."""
        done = 0
        for row in rows:
            trouble = await self._tell(row)
            done += trouble is None
            await self._in_thread(self._finish, row, trouble)
        return done

    def _due(self) -> list[Row[Any]]:
        with self._ledger.read() as db:
            if not outbox.is_anything_due(db):
                return []
        with self._ledger.write() as db:
            return outbox.due(db)

    def _finish(self, row: Row[Any], trouble: str | None) -> None:
        with self._ledger.write() as db:
            outbox.finish(db, row, now(), trouble)

    async def _tell(self, row: Row[Any]) -> str | None:
        """Tell one row; returns the trouble, or None."""
        uid = bytes.fromhex(row.uid)
        by_code = kinds.KINDS[row.type].source in (kinds.CODE, kinds.PAID_CODE)
        try:
            if row.act == outbox.UNDO:
                what = Revocation(row.tid, uid, row.mid, row.amount, row.type)
                word = self._wallet.revoke(what) if by_code else self._issuer.undo(row.tid, uid)
            else:
                word = self._issuer.tell(_advice(row))
            await asyncio.wait_for(word, _WAIT)
        except TimeoutError:
            return "no answer"
        except IssuerFault as fault:
            return str(fault) or "not reached"
        except Exception as fault:  # of an acquirer's or a wallet's connection
            _log.error("outside: %s", type(fault).__name__)
            return type(fault).__name__
        return None


def _advice(row: Row[Any]) -> Advice:
    return Advice(bytes.fromhex(row.uid), bytes.fromhex(row.original or ""), row.amount, row.type, row.tid, row.mid)
