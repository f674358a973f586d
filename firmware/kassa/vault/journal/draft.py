# SPDX-License-Identifier: MIT
"""The fields of the next record."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes


class Draft:
    """Filled by the desk for each payment; one object, reused. `amount`: minor units; other fields: docs/journal.md."""

    def __init__(self) -> None:
        self.type = 0
        self.amount = 0
        self.stan = 0
        self.counter = 0
        self.entry = 0
        self.operator = 1
        self.time = 0
        self.flags = 0
        self.back = 0  # distance in sequences to the original payment, 0 = none
        self.currency = b"\x01\x56"
        self.uid = bytearray(16)
        self.nonce = bytearray(16)
        self.mask = bytearray(5)  # first six, last four digits, BCD
        self.data: "Bytes" = bytearray(160)  # card and EMV data, TLV: 160 B, or 400 B for a record of two pages
