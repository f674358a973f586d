# SPDX-License-Identifier: MIT
"""Compares a shop's totals from five sources: the cashier's tally, journal, receipts, settlement slips and host.

The journal is read by tools.journal and the ledger by SQL, so nothing here depends on the firmware.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from tools.host.books import double_entry
from tools.host.store.ledger import Ledger
from tools.host.wire import kinds
from tools.journal import image
from tools.journal.cells import Record

DEBIT, CREDIT, CASH, CASH_BACK, CODE, CODE_BACK = COLUMNS = (
    "sales", "taken back", "cash", "cash returned", "by code", "codes returned"
)  # fmt: skip
DECLINED, REVERSED = ("declined", "reversed")
TILL, JOURNAL, PAPER, SLIP, HOST, BATCH = SOURCES = ("till", "journal", "receipts", "slips", "host", "host's batch")
_EFFECTS = {kinds.DEBIT: DEBIT, kinds.CREDIT: CREDIT, kinds.IN_CASH: CASH, kinds.IN_QR: CODE, kinds.REPLACES: DEBIT,
            kinds.OUT_OF_CASH: CASH_BACK, kinds.OUT_OF_QR: CODE_BACK}  # fmt: skip
_BACK = (kinds.CREDIT, kinds.OUT_OF_CASH, kinds.OUT_OF_QR)
_STATES = {"declined": DECLINED, "refused": DECLINED, "reversed": REVERSED}  # of a journal record
TYPES = {
    "SALE": DEBIT, "VOICE-AUTHORISED SALE": DEBIT, "COMPLETION": DEBIT, "COMPLETION ADVICE": DEBIT, "VOID": CREDIT,
    "COMPLETION VOID": CREDIT, "REFUND": CREDIT, "CASH SALE": CASH, "CODE PAYMENT": CODE, "CODE REFUND": CODE_BACK,
    "CASH REFUND": CASH_BACK, "TIP": DEBIT, "ADJUSTMENT": DEBIT,
    "PRE-AUTHORISATION": "", "PRE-AUTH CANCEL": "",
}  # fmt: skip
_INSTEAD = ("TIP", "ADJUSTMENT")
_PAID = ("APPROVED", "APPROVED OFFLINE", "OFFLINE, TO BE AUTHORISED", "PAID IN CASH", "RETURNED IN CASH")
_SLIP_LINES = {"Sales": DEBIT, "Refunds, voids": CREDIT, "By code": CODE, "Cash": CASH,
               "Code refunds": CODE_BACK, "Cash refunds": CASH_BACK}  # fmt: skip
_MONEY = re.compile(r"-?[¥￥]([0-9,]+)\.([0-9]{2})")


@dataclass(frozen=True)
class Sum:
    """A number of payments and their total in minor units."""

    count: int = 0
    amount: int = 0

    def __str__(self) -> str:
        return f"{self.count}: {in_words(self.amount)}"


class Tally:
    """Sums by batch and column."""

    def __init__(self) -> None:
        self.sums: dict[tuple[int, str], Sum] = {}

    def add(self, batch: int, column: str, amount: int, count: int = 1) -> None:
        before = self.sums.get((batch, column), Sum())
        self.sums[batch, column] = Sum(before.count + count, before.amount + amount)

    def of(self, batch: int, column: str) -> Sum:
        return self.sums.get((batch, column), Sum())

    def over_all(self, column: str) -> int:
        """A column's total over all batches."""
        return sum(total.amount for (_, name), total in self.sums.items() if name == column)

    def batches(self) -> set[int]:
        return {batch for batch, _ in self.sums}


@dataclass
class Row:
    """One line of the comparison: the value from each source that has it."""

    label: str
    values: dict[str, Sum | str]

    @property
    def agrees(self) -> bool:
        return len(set(self.values.values())) == 1


@dataclass
class Agreement:
    """The comparison. `faults` lists what must not occur, such as payments without an answer."""

    rows: list[Row] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not self.faults and all(row.agrees for row in self.rows)

    def differences(self) -> list[str]:
        rows = [f"{row.label}: {row.values}" for row in self.rows if not row.agrees]
        return rows + self.faults

    def table(self) -> list[str]:
        """The comparison as lines of text; rows that differ are marked."""
        used = [source for source in SOURCES if any(source in row.values for row in self.rows)]
        wide = max(len(row.label) for row in self.rows)
        lines = [" " * wide + "".join(f"{source:>16}" for source in used)]
        for row in self.rows:
            cells = "".join(f"{str(row.values.get(source, '')):>16}" for source in used)
            lines.append(f"{row.label:{wide}}{cells}{'' if row.agrees else '  <-- differs'}")
        return lines + [f"!! {fault}" for fault in self.faults]


def money(text: str) -> int:
    """The first amount in a text, in minor units and without its sign. Raises ValueError if there is none."""
    found = _MONEY.search(text)
    if not found:
        raise ValueError(f"no amount in {text!r}")
    return int(found[1].replace(",", "") + found[2])


def in_words(amount: int) -> str:
    """Minor units as text: `-123456` -> `-1,234.56`."""
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100:,}.{abs(amount) % 100:02}"


class Journals:
    """All records seen in the terminal's journal over several reads. Closed sectors may be erased between reads."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._records: dict[int, tuple[Record, str, int]] = {}  # sequence -> record, state, amount it replaces
        self.damaged = 0

    def read(self) -> None:
        journal = image.of(self._home)
        self.damaged = len(journal.damaged)
        for record in journal.records.values():
            about = journal.records.get(record.original)
            instead = kinds.KINDS[record.type].effect == kinds.REPLACES
            self._records[record.sequence] = record, journal.state(record), about.amount if about and instead else 0

    def tally(self) -> Tally:
        tally = Tally()
        for record, state, replaced in self._records.values():
            effect = kinds.KINDS[record.type].effect
            if state == "settled" and effect in _EFFECTS:
                tally.add(record.batch, _EFFECTS[effect], record.amount - replaced, effect != kinds.REPLACES)
            elif state in _STATES:
                tally.add(record.batch, _STATES[state], record.amount)
        return tally

    def pending(self) -> list[str]:
        return [f"no. {one.sequence} is {state}" for one, state, _ in self._records.values()
                if state in ("accepted", "prepared", "reversing")]  # fmt: skip


def of_paper(papers: Iterable[str]) -> tuple[Tally, Tally]:
    """Tallies of the receipts and of the settlement slips. If a payment has two receipts, the later one counts."""
    receipts: dict[str, dict[str, str]] = {}
    slips = Tally()
    for paper in papers:
        facts = dict(re.findall(r"^(Type|Batch|Trace|Original trace) +(.+?)$", paper, re.MULTILINE))
        if "SETTLEMENT" in paper:
            for name, count, amount in re.findall(r"^([A-Z][a-z, ]+) ([0-9]+) +(￥\S+)$", paper, re.MULTILINE):
                if name == "Trace":  # refused later: not counted
                    continue
                slips.add(int(facts["Batch"]), _SLIP_LINES[name], money(amount), int(count))
            continue
        _, facts["Amount"], state = paper.split("-" * 32)
        facts["State"] = state.strip().splitlines()[0].strip()
        receipts[re.findall(r"^ *(#[0-9]+) ", paper, re.MULTILINE)[0]] = facts
    by_trace = {(facts["Batch"], facts["Trace"]): money(facts["Amount"]) for facts in receipts.values()}
    tally = Tally()
    for facts in receipts.values():
        column, instead = TYPES[facts["Type"]], facts["Type"] in _INSTEAD
        if column and facts["State"] in _PAID:
            replaced = by_trace[facts["Batch"], facts["Original trace"]] if instead else 0
            tally.add(int(facts["Batch"]), column, money(facts["Amount"]) - replaced, not instead)
    return tally, slips


class Books:
    """The host's database, by SQL."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def _rows(self, query: str, **values: str) -> list[tuple[Any, ...]]:
        """The rows; sums as int, which PostgreSQL gives as decimals."""
        found = self._db.execute(text(query), values)
        return [tuple(int(one) if isinstance(one, Decimal) else one for one in row) for row in found]

    def payments(self) -> Tally:
        tally = Tally()
        approved = "SELECT settled_in, type, sum(worth), count(*) FROM payment WHERE state = 'APPROVED' GROUP BY 1, 2"
        for batch, kind, worth, count in self._rows(approved):
            effect = kinds.KINDS[kind].effect
            if effect in _EFFECTS:
                sign = -1 if effect in _BACK else 1
                tally.add(int(batch), _EFFECTS[effect], sign * worth, 0 if effect == kinds.REPLACES else count)
        for name, column in (("DECLINED", DECLINED), ("REVERSED", REVERSED)):
            failed = "SELECT settled_in, sum(amount), count(*) FROM payment WHERE state = :name GROUP BY 1"
            for batch, amount, count in self._rows(failed, name=name):
                tally.add(int(batch), column, amount, count)
        return tally

    def closed(self) -> dict[int, dict[str, Sum]]:
        """The sums each closed batch was closed with."""
        rows = self._rows(
            "SELECT number, debit_count, debit_amount, credit_count, credit_amount FROM batch WHERE state = 'closed'"
        )
        return {int(batch): {DEBIT: Sum(*row[:2]), CREDIT: Sum(*row[2:])} for batch, *row in rows}

    def accounts(self) -> dict[str, int]:
        """Balance of each account, debits positive."""
        return {name: amount for name, amount in self._rows("SELECT account, sum(amount) FROM entry GROUP BY account")}

    def faults(self) -> list[str]:
        """Payments without an answer, open batches, and entries that do not balance."""
        no_answer = "SELECT 'no. ' || sequence || ' has no answer at the host' FROM payment WHERE state = 'RECEIVED'"
        left_open = "SELECT 'batch ' || number || ' is open' FROM batch WHERE state = 'open'"
        skewed = ("SELECT 'entries of payment ' || uid || ' do not balance' FROM entry "
                  "GROUP BY tid, uid HAVING sum(amount) <> 0")  # fmt: skip
        return [row[0] for query in (no_answer, left_open, skewed) for row in self._rows(query)]


def compare(till: Tally, journals: Journals, papers: Iterable[str], ledger: Ledger, cuts: int) -> Agreement:
    """Compare all sources. `cuts` is the number of power cuts; each may leave one torn page in the journal."""
    found = Agreement()
    journal = journals.tally()
    receipts, slips = of_paper(papers)
    with ledger.read() as db:
        host = Books(db)
        payments, closed, accounts = host.payments(), host.closed(), host.accounts()
        found.faults = journals.pending() + host.faults()
    if journals.damaged > cuts:
        found.faults.append(f"{journals.damaged} damaged pages")
    for batch in sorted(till.batches() | journal.batches() | receipts.batches() | payments.batches() | closed.keys()):
        for column in COLUMNS:
            sources = {TILL: till, JOURNAL: journal, PAPER: receipts, SLIP: slips, HOST: payments}
            values: dict[str, Sum | str] = {source: tally.of(batch, column) for source, tally in sources.items()}
            if column in (DEBIT, CREDIT):
                values[BATCH] = closed.get(batch, {}).get(column, "open")
            found.rows.append(Row(f"batch {batch}, {column}", values))
        for column in (DECLINED, REVERSED):
            sources = {TILL: till, JOURNAL: journal, HOST: payments}
            found.rows.append(
                Row(f"batch {batch}, {column}", {source: tally.of(batch, column) for source, tally in sources.items()})
            )
    cards, codes, cash = (
        till.over_all(paid) - till.over_all(back)
        for paid, back in ((DEBIT, CREDIT), (CODE, CODE_BACK), (CASH, CASH_BACK))
    )
    expected = {
        double_entry.CLEARING: -cards - codes,
        double_entry.CARDS: cards,
        double_entry.WALLETS: codes,
        double_entry.TILL: cash,
        double_entry.SALES: -cash,
        double_entry.QUARANTINE: 0,
    }
    for name, amount in expected.items():
        found.rows.append(Row(name, {TILL: in_words(amount), HOST: in_words(accounts.get(name, 0))}))
    return found
