# SPDX-License-Identifier: MIT
"""What the next record is made from."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes


class Draft:
    """What the desk hands over; made once and reused. Sizes in bytes; `amount` in minor units, `time` as in docs/journal.md."""

    def __init__(self) -> None:
        self.type = 0
        self.amount = 0
        self.stan = 0
        self.counter = 0
        self.entry = 0
        self.operator = 1
        self.time = 0
        self.flags = 0
        self.back = 0  # how many sequences back the payment lies that this one is about, 0 = none
        self.currency = b"\x01\x56"
        self.uid = bytearray(16)
        self.nonce = bytearray(16)
        self.mask = bytearray(5)  # first six, last four digits, BCD
        self.data: "Bytes" = bytearray(160)  # card and EMV data, TLV: 160 B, or 400 B for a record of two pages
