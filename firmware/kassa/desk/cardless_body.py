# SPDX-License-Identifier: MIT
"""What a payment takes along where no card is read: cash, a customer's code, or the payment it is about."""

from micropython import const

from kassa.crypto.wipe import zero

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

_SIZE = const(160)
_ORIGINAL = b"\xdf\x02\x10"  # tags of ours: the uid of the payment that is meant
_REFERENCE = b"\xdf\x04\x06"  # an RRN, 6 bytes BCD
_CODE = const(0xDF03)  # a customer's code, ASCII
_CODE_ENTRY = const(0x03)


class CardlessBody:
    """In the place of a card.Arena: entry mode (BCD), first six and last four digits, the body to be sealed."""

    def __init__(self, entry: int, first6: "Bytes", last4: "Bytes") -> None:
        self.entry = entry
        self.first6, self.last4 = first6, last4
        self._body = bytearray(_SIZE)
        self.body = memoryview(self._body)

    def wipe(self) -> None:
        """Zero the body."""
        zero(self._body)


def cash() -> CardlessBody:
    """Nothing to be sealed."""
    return CardlessBody(0, bytes(3), bytes(2))


def about(page: bytearray) -> CardlessBody:
    """The payment whose record is `page`: its card's digits, and its uid."""
    made = CardlessBody(0, page[48:51], page[51:53])
    made.body[:3] = _ORIGINAL
    made.body[3:19] = page[8:24]
    return made


def referenced(reference: "Bytes") -> CardlessBody:
    """The payment with this reference (RRN, 6 bytes BCD)."""
    made = cash()
    made.body[:3] = _REFERENCE
    made.body[3:9] = reference
    return made


def scanned(code: "Bytes") -> CardlessBody:
    """A customer's code, ASCII; of it only the last four digits are ever shown."""
    made = CardlessBody(
        _CODE_ENTRY, bytes(3), bytes(((code[-4] & 15) << 4 | code[-3] & 15, (code[-2] & 15) << 4 | code[-1] & 15))
    )
    made.body[0], made.body[1], made.body[2] = _CODE >> 8, _CODE & 255, len(code)
    made.body[3 : 3 + len(code)] = code
    return made


def shown() -> CardlessBody:
    """A code of ours, which the customer scans."""
    return CardlessBody(_CODE_ENTRY, bytes(3), bytes(2))
