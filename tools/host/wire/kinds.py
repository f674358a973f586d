# SPDX-License-Identifier: MIT
"""Every kind of payment by its 60.1 value (docs/wire.md): its message, and its effect on batch and books."""

from typing import NamedTuple

BALANCE, PREAUTH, PREAUTH_CANCEL = "01", "10", "11"
COMPLETION, COMPLETION_VOID, COMPLETION_ADVICE = "20", "21", "24"
SALE, VOID, REFUND, VOICE_SALE, ADJUST, TIP = "22", "23", "25", "30", "32", "34"
DEFERRED_SALE, CASH, VOID_ENTRY, OFFLINE_SALE = "70", "71", "72", "73"
QR_SCANNED, QR_SHOWN = "74", "75"
QR_REFUND, CASH_REFUND = "76", "77"

NOTHING, DEBIT, CREDIT, IN_CASH, IN_QR, REPLACES = "nothing", "debit", "credit", "cash", "qr", "instead"
OUT_OF_CASH, OUT_OF_QR = "out of cash", "out of qr"
_BACK = (CREDIT, OUT_OF_CASH, OUT_OF_QR)
# What the sealed body holds: nothing, a card, a code, the payment it names, the code payment it refunds, the cash
# payment it refunds (if any).
NO_SOURCE, CARD, CODE, NAMED, PAID_CODE, PAID_CASH = "none", "card", "code", "named", "paid code", "paid cash"


class Kind(NamedTuple):
    """`process`: DE 3. `condition`: DE 25. `effect`: on batch and books. `source`: content of the sealed body."""

    name: str
    mti: str
    process: str
    condition: str
    effect: str
    source: str


KINDS = {
    SALE: Kind("sale", "0200", "000000", "00", DEBIT, CARD),
    DEFERRED_SALE: Kind("sale", "0200", "000000", "00", DEBIT, CARD),
    OFFLINE_SALE: Kind("sale", "0220", "000000", "00", DEBIT, CARD),
    VOID_ENTRY: Kind("void entry", "0220", "", "", NOTHING, NO_SOURCE),
    CASH: Kind("cash", "0220", "000000", "00", IN_CASH, NO_SOURCE),
    VOID: Kind("void", "0200", "200000", "00", CREDIT, NAMED),
    REFUND: Kind("refund", "0220", "200000", "00", CREDIT, CARD),
    BALANCE: Kind("balance", "0200", "310000", "00", NOTHING, CARD),
    PREAUTH: Kind("pre-authorisation", "0100", "030000", "06", NOTHING, CARD),
    PREAUTH_CANCEL: Kind("pre-authorisation cancel", "0100", "200000", "06", NOTHING, CARD),
    COMPLETION: Kind("completion", "0200", "000000", "06", DEBIT, CARD),
    COMPLETION_VOID: Kind("completion void", "0200", "200000", "06", CREDIT, NAMED),
    COMPLETION_ADVICE: Kind("completion", "0220", "000000", "06", DEBIT, CARD),
    VOICE_SALE: Kind("voice sale", "0220", "000000", "00", DEBIT, CARD),
    ADJUST: Kind("adjustment", "0220", "000000", "00", REPLACES, NAMED),
    TIP: Kind("tip", "0220", "000000", "00", REPLACES, NAMED),
    QR_SCANNED: Kind("code", "0200", "000000", "00", IN_QR, CODE),
    QR_SHOWN: Kind("code", "0200", "000000", "00", IN_QR, CODE),
    QR_REFUND: Kind("code refund", "0220", "200000", "00", OUT_OF_QR, PAID_CODE),
    CASH_REFUND: Kind("cash refund", "0220", "200000", "00", OUT_OF_CASH, PAID_CASH),
}
REVERSED = frozenset(code for code, kind in KINDS.items() if kind.mti != "0220") - {BALANCE}  # the others are repeated
RECORDS = frozenset(KINDS) - {DEFERRED_SALE, OFFLINE_SALE, VOID_ENTRY}  # kinds that are stored in records
_SALES = frozenset((SALE, DEFERRED_SALE, OFFLINE_SALE))


def carries(message: str, record: str) -> bool:
    """Whether a message with 60.1 value `message` may carry a record of kind `record`."""
    if message == VOID_ENTRY:
        return record in RECORDS
    return record in RECORDS and (message == record or message in _SALES and record == SALE)


def with_effect(*effects: str) -> frozenset[str]:
    """The kinds of record with one of these effects."""
    return frozenset(code for code in RECORDS if KINDS[code].effect in effects)


def signed(kind: str, amount: int) -> int:
    """The amount as shown to people: negative if it gives money back."""
    return -amount if kind in KINDS and KINDS[kind].effect in _BACK else amount


def worth(kind: str, amount: int, original: int = 0) -> int:
    """The net value of an approved payment to the merchant. `original`: the amount that an adjustment replaces."""
    effect = KINDS[kind].effect
    if effect == NOTHING:
        return 0
    return amount - original if effect == REPLACES else signed(kind, amount)
