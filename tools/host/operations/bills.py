# SPDX-License-Identifier: MIT
"""Fetches the daily bills of the wallets, keeps each as a file, and reconciles it with the payments.

A bill is kept in HOME/bills as WALLET-DAY.csv, in the form of books/report_file.py. Lines about one order are added up:
what was paid and undone on the same day is no line. A bill that is there is not fetched again. The numbers of orders
that are none of ours begin with "other-": the account may be used without us.
"""

import asyncio
import csv
import datetime
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from tools.host import private_files
from tools.host.acquirers.provider import BillLine
from tools.host.acquirers.wallets import Wallet
from tools.host.books.money import text
from tools.host.errors import HostError, ProviderFault
from tools.host.operations import reconcile
from tools.host.store.ledger import Ledger
from tools.host.store.schema import payment
from tools.host.store.schema_wallets import wallet_order, wallet_refund

_AROUND = 27 * 3_600_000  # ms from noon UTC within which it is the same day somewhere
_PATIENCE = 120.0  # seconds for a whole bill
_OURS = re.compile("[0-9a-f]{32}")
_ODD = re.compile("[^0-9a-z_|*@-]")  # what report_file.py does not read in a reference
_LONGEST = 40  # characters of a number that is none of ours


class Fetched(NamedTuple):
    """A wallet's bill. `done`: what came of it, or None; `trouble`: why not."""

    wallet: str
    done: reconcile.Done | None
    trouble: str = ""


def run(ledger: Ledger, wallets: Sequence[Wallet], folder: Path, day: datetime.date, by: str) -> list[Fetched]:
    """Fetch and reconcile the bills of a day, each wallet for itself. Raises OperatorError if nobody says who does it."""
    private_files.folder(folder)
    return [_one(ledger, wallet, folder / f"{wallet.name}-{day}.csv", day, by) for wallet in wallets]


def _one(ledger: Ledger, wallet: Wallet, path: Path, day: datetime.date, by: str) -> Fetched:
    try:
        if not path.exists():
            lines = asyncio.run(_fetch(wallet, day))
            if lines is None and _was_used(ledger, wallet.name, day):
                return Fetched(wallet.name, None, "the bill is not there yet")
            if lines is None:  # Alipay makes no bill of a day without payments
                return Fetched(wallet.name, reconcile.Done(0, 0, False))
            private_files.write(path, _file(lines, day).encode())
        about = reconcile.Bill(wallet.name, f"{day}", wallet.fee or None)
        return Fetched(wallet.name, reconcile.run(ledger, path, "wallet", by, bill=about))
    except (HostError, OSError) as fault:
        return Fetched(wallet.name, None, str(fault))


def _was_used(ledger: Ledger, wallet: str, day: datetime.date) -> bool:
    """Whether anything was asked of a wallet on a day, in whatever time zone, or is on the books of that day."""
    noon = datetime.datetime.combine(day, datetime.time(12), datetime.UTC).timestamp() * 1000
    with ledger.read() as db:
        for table in (wallet_order, wallet_refund):
            its = select(table.c.uid).join(payment, (payment.c.tid == table.c.tid) & (payment.c.uid == table.c.uid))
            asked = table.c.asked.between(int(noon - _AROUND), int(noon + _AROUND))
            if db.execute(its.where(table.c.wallet == wallet, asked | (payment.c.day == f"{day}")).limit(1)).first():
                return True
    return False


async def _fetch(wallet: Wallet, day: datetime.date) -> Sequence[BillLine] | None:
    try:
        return await asyncio.wait_for(wallet.provider.bill(day), _PATIENCE)
    except TimeoutError:
        raise ProviderFault("no answer in time") from None
    finally:
        await wallet.provider.close()


def _file(lines: Sequence[BillLine], day: datetime.date) -> str:
    """The bill as a file: one line for each reference, in their order."""
    sums: dict[str, tuple[int, int]] = {}
    for line in lines:
        amount, fee = sums.get(line.reference, (0, 0))
        sums[line.reference] = amount + line.amount, fee + line.fee
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("reference", "amount", "fee", "day"))
    for reference, (amount, fee) in sorted(sums.items()):
        if amount or fee:
            writer.writerow((_named(reference), text(amount), text(fee), day))
    return out.getvalue()


def _named(reference: str) -> str:
    """A reference as report_file.py reads it. One that is not ours is never taken for a retrieval reference number."""
    return reference if _OURS.fullmatch(reference) else "other-" + _ODD.sub("_", reference.lower())[:_LONGEST]
