# SPDX-License-Identifier: MIT
"""The data of a payment made without a card: cash, a payment code, or a reference to an earlier payment."""

from micropython import const

from kassa.crypto.wipe import zero

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

_SIZE = const(160)
_ORIGINAL = b"\xdf\x02\x10"  # private tags: the uid of the original payment
_REFERENCE = b"\xdf\x04\x06"  # an RRN, 6 bytes BCD
_CODE = const(0xDF03)  # a customer's code, ASCII
_WALLET = const(0xDF05)  # the name of the wallet whose code is shown, ASCII
_CODE_ENTRY = const(0x03)


class CardlessBody:
    """Replaces a card.Arena: entry mode (BCD), first six and last four digits, and the body to be sealed."""

    def __init__(self, entry: int, first6: "Bytes", last4: "Bytes") -> None:
        self.entry = entry
        self.first6, self.last4 = first6, last4
        self._body = bytearray(_SIZE)
        self.body = memoryview(self._body)

    def wipe(self) -> None:
        """Zero the body."""
        zero(self._body)


def cash() -> CardlessBody:
    """The body of a cash payment: empty."""
    return CardlessBody(0, bytes(3), bytes(2))


def for_record(page: bytearray) -> CardlessBody:
    """The body of a payment about an earlier one: its uid, and the card digits of its record `page`."""
    made = CardlessBody(0, page[48:51], page[51:53])
    made.body[:3] = _ORIGINAL
    made.body[3:19] = page[8:24]
    return made


def for_reference(reference: "Bytes") -> CardlessBody:
    """The body of a payment about the one with this RRN (6 bytes BCD)."""
    made = cash()
    made.body[:3] = _REFERENCE
    made.body[3:9] = reference
    return made


def scanned_code(code: "Bytes") -> CardlessBody:
    """The body of a payment by the customer's code (ASCII), of which only the last four digits are ever shown."""
    made = CardlessBody(
        _CODE_ENTRY, bytes(3), bytes(((code[-4] & 15) << 4 | code[-3] & 15, (code[-2] & 15) << 4 | code[-1] & 15))
    )
    _put(made, _CODE, code)
    return made


def shown_code(wallet: "Bytes") -> CardlessBody:
    """The body of a payment by a code on the terminal's screen, of this wallet (ASCII). Empty: the host chooses it."""
    made = CardlessBody(_CODE_ENTRY, bytes(3), bytes(2))
    if wallet:
        _put(made, _WALLET, wallet)
    return made


def _put(made: CardlessBody, tag: int, value: "Bytes") -> None:
    made.body[0], made.body[1], made.body[2] = tag >> 8, tag & 255, len(value)
    made.body[3 : 3 + len(value)] = value
