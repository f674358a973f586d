# SPDX-License-Identifier: MIT
"""The names of the kinds of payment, by their 60.1 values, and of what a final yes does to the batch.

For rooms that are in memory only meanwhile: names take heap. What is always there spells out the few it needs.
"""

from micropython import const

BALANCE = const(0x01)
PREAUTH = const(0x10)
PREAUTH_CANCEL = const(0x11)
COMPLETION = const(0x20)
COMPLETION_VOID = const(0x21)
SALE = const(0x22)
VOID = const(0x23)
COMPLETION_ADVICE = const(0x24)
REFUND = const(0x25)
VOICE_SALE = const(0x30)  # authorised by telephone: CUP's offline sale
ADJUST = const(0x32)
TIP = const(0x34)
DEFERRED_SALE = const(0x70)
CASH = const(0x71)
VOID_ENTRY = const(0x72)
OFFLINE_SALE = const(0x73)  # approved by the card
QR_SCANNED = const(0x74)  # the customer's code
QR_SHOWN = const(0x75)  # ours, which the customer scans
QR_REFUND = const(0x76)  # of a payment by code: all of it or a part
CASH_REFUND = const(0x77)

# What a final yes does to the batch.
NOTHING = const(0)
DEBIT = const(1)
CREDIT = const(2)
IN_CASH = const(3)
IN_QR = const(4)
INSTEAD = const(5)  # its amount takes the place of its original's
OUT_OF_CASH = const(6)
OUT_OF_QR = const(7)
