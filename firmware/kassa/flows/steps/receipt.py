# SPDX-License-Identifier: MIT
"""The lines of receipts and slips. A line is (text, align, bold, size); align: 0 left, 1 centre, 2 right, 3 a QR Code.

Text after a tab is aligned to the right margin, and a single "-" is a rule; the printer's driver knows the width. Lines
are made one at a time, so that a long list takes no memory. flows/steps/paper.py prints them.
"""

from micropython import const

from kassa import money, transactions
from kassa.calendar import date
from kassa.flows.session import Session
from kassa.vault.journal.layout import FLAG_CLOCK, Record
from kassa.vault.journal.reader import Reader

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kassa.desk.batch import Totals
    from kassa.uplink.request_result import RequestResult

_PAGE = const(0x21)  # setting: the address of the host's page
_NOBODY = const(100)  # see desk/operators.py
_RULE = ("-", 0, False, 1)
_ENTRIES = {0x03: "r_code", 0x07: "r_contactless"}
_STATES = {
    "approved": "r_approved",
    "approved_card": "r_approved_card",
    "accepted": "r_offline",
    "voided": "r_approved",
    "refunded": "r_approved",
    "preauthorised": "r_approved",
    "adjusted": "r_approved",
    "paid": "r_approved",
    "cash_taken": "r_cash_taken",
    "cash_returned": "r_cash_returned",
    "declined": "r_declined",
    "not_taken": "not_taken",
    "reversing": "reversing",
    "reversed": "r_reversed",
    "refused_later": "refused_later",
    "lost": "lost",
}


def when(at: int) -> str:
    """A time in seconds since 2000-01-01 as `2026-11-23 14:05:09`."""
    return "%04d-%02d-%02d %02d:%02d:%02d" % date(at)


def _pair(left: str, right: str) -> tuple:
    """A line with one text at the left margin and one at the right."""
    return (left + "\t" + right, 0, False, 1)


def payment(
    session: Session, record: Record, word: str, auth: str = "", rrn: str = "", copy: bool = False, again: bool = False
) -> "Iterator[tuple]":
    """The receipt of a payment; of the newest one with the head of the chain.

    `word`: its disposition, a key of _STATES. `copy`: for the customer. `again`: it was printed before, if only in part.
    Everything in flash is read here, before the first line is printed.
    """
    journal, original = session.till.journal, ""
    if record.original:
        page = bytearray(256)
        if Reader(journal, record.original).read(page) == record.original:
            original = "%06d" % Record(page).stan
    head = "#%d" % record.sequence
    if record.sequence == journal.state.sequence:
        head += " " + journal.head.hex()
    where = str(session.settings.get(_PAGE, b""), "utf-8")
    find = record.uid.hex()
    if where:
        find = "%s/payments/%s/%s" % (where, session.terminal, find)
    return _payment(session, record, word, (auth, rrn, original, head, find), copy, again)


def _payment(session: Session, record: Record, word: str, numbers: tuple, copy: bool, again: bool) -> "Iterator[tuple]":
    auth, rrn, original, head, find = numbers
    t = session.ui.t
    took_back = transactions.returns_money(record.type)
    yield session.name, 1, True, 2
    yield "", 0, False, 1
    if again:
        yield t("r_duplicate"), 1, True, 1
    yield _pair(t("r_merchant"), session.merchant)
    yield _pair(t("r_terminal"), session.terminal)
    if session.operator < _NOBODY:
        yield _pair(t("r_operator"), "%02d" % record.operator)
    if record.first6 != "000000":
        yield _pair(t("r_card"), "%s******%s" % (record.first6, record.last4))
    if record.entry in _ENTRIES:
        yield _pair(t("r_entry"), t(_ENTRIES[record.entry]))
    yield _pair(t("r_type"), t("r_%02x" % record.type))
    yield _pair(t("r_batch"), "%06d" % record.batch)
    yield _pair(t("r_trace"), "%06d" % record.stan)
    if original:
        yield _pair(t("r_original"), original)
    if auth:
        yield _pair(t("r_auth"), auth)
    if rrn:
        yield _pair(t("r_reference"), rrn)
    yield _pair(t("r_date" if record.flags & FLAG_CLOCK else "r_date_untrusted"), when(record.time))
    yield _RULE
    yield t("r_amount"), 0, False, 1
    yield money.text(-record.amount if took_back else record.amount), 2, True, 2
    yield _RULE
    yield t(_STATES.get(word, word)), 1, True, 1
    if word in ("accepted", "approved_card"):
        yield _pair(t("r_queue_number"), "%d" % record.sequence)
    if session.printed[0] == record.sequence and session.printed[1]:
        from kassa.flows.steps import chip_lines

        for line in chip_lines.lines(session.printed[1]):
            yield line
        yield t("r_no_signature"), 1, False, 1
    yield head, 1, False, 1
    yield find, 3, False, 1
    yield t("r_customer_copy" if copy else "r_merchant_copy"), 1, False, 1
    yield t("r_thanks"), 1, False, 1


def listing(session: Session, title: str, rows: "Iterable[tuple[str, str]]", again: bool = False) -> "Iterator[tuple]":
    """A list of (left, right) texts with a title, date and time. A text "-" on the left is a rule."""
    yield session.name, 1, True, 2
    yield title, 1, True, 1
    if again:
        yield session.ui.t("r_duplicate"), 1, True, 1
    yield _pair(session.ui.t("r_terminal"), session.terminal)
    yield when(session.clock.now()), 2, False, 1
    yield _RULE
    for left, right in rows:
        yield _RULE if left == "-" else _pair(left, right)
    yield _RULE


def settlement(
    session: Session,
    totals: "Totals",
    balanced: bool,
    outcome: "RequestResult | None" = None,
    again: bool = False,
) -> "Iterator[tuple]":
    """The slip of a batch close. `outcome`: given if records were uploaded."""
    t = session.ui.t
    yield session.name, 1, True, 2
    yield t("r_settlement"), 1, True, 1
    if again:
        yield t("r_duplicate"), 1, True, 1
    yield _pair(t("r_merchant"), session.merchant)
    yield _pair(t("r_terminal"), session.terminal)
    yield _pair(t("r_batch"), "%06d" % totals.batch)
    yield when(session.clock.now()), 2, False, 1
    yield _RULE
    for name, effect in (
        ("r_debit", transactions.DEBIT),
        ("r_credit", transactions.CREDIT),
        ("r_qr", transactions.IN_QR),
        ("r_qr_back", transactions.OUT_OF_QR),
        ("r_cash", transactions.IN_CASH),
        ("r_cash_back", transactions.OUT_OF_CASH),
    ):
        count = totals.counts[effect]
        if count or effect <= transactions.CREDIT:
            yield _pair("%s %d" % (t(name), count), money.text(totals.sums[effect]))
    if totals.refused:
        yield _RULE
        yield _pair(t("r_refused"), "%d" % (len(totals.refused) + totals.refused_more))
    for stan, amount in totals.refused:
        yield _pair("%s %06d" % (t("r_trace"), stan), money.text(amount))
    if totals.refused_more:
        yield "... +%d" % totals.refused_more, 2, False, 1
    yield _RULE
    yield t("r_balanced" if balanced else "r_unbalanced"), 1, True, 1
    if outcome is not None:
        yield _pair(t("r_uploaded"), "%d" % outcome.uploaded)
        from kassa.desk.batch import of_host

        host = of_host(outcome.totals)
        if host is not None:
            for at, name in enumerate(("r_host_debit", "r_host_credit")):
                yield _pair("%s %d" % (t(name), host[at][0]), money.text(host[at][1]))
