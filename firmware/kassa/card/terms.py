# SPDX-License-Identifier: MIT
"""The terminal's data for one payment, set before the card is read: data objects, limits and keys."""

from micropython import const

from kassa import money
from kassa.card import tlv

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from kassa.card.risk import Risk
    from kassa.card.tlv import Bytes

    class Authorities(Protocol):
        """The methods of the CA key store that a proof needs; see vault/card_tables/ca_public_keys.py."""

        def find(self, rid: "Bytes", index: int, date: "Bytes") -> "tuple[bytes, int] | None": ...

        def revoked(self, rid: "Bytes", index: int, serial: "Bytes") -> bool: ...


# Terminal transaction qualifiers (9F66): qVSDC and CDCVM supported; no contact slot, no signature, no online PIN yet.
# Bits of its second byte:
TTQ = b"\x20\x00\x40\x00"
_CRYPTOGRAM_FOR_HOST = const(0x80)
_CVM_REQUIRED = const(0x40)

CAPABILITIES = b"\x00\x08\x00"  # terminal capabilities (9F33): no contact slot; "no CVM required" supported
_CAN_CDA = const(0x08)  # its third byte: CDA supported

_FIXED = (
    # 95 TVR, 9B TSI, 9F34 CVM results: kernels 3 and 7 do not set them
    (0x95, bytes(5)),
    (0x9B, bytes(2)),
    (0x9F09, bytes(2)),  # application version number; the kernel sets it
    (0x9F34, bytes(3)),
    (0x9F35, b"\x22"),  # terminal type: attended, merchant-operated, online and offline
    (0x9F6D, b"\xc0"),  # American Express: contactless EMV, mobile
    (0x9F40, b"\x60\x00\xb0\xa0\x01"),  # additional capabilities: goods and services; keypad; printer and display
)
_SIZE = const(184)
_NAME_MAX = const(20)
_AMEX_READER = b"\x18\x80\x00\x03"  # 9F6E: contactless EMV, partial online, mobile; CDCVM


class Terms:
    """The terminal's data for one payment.

    `amount`: minor units. `currency`, `country`: ISO numeric. `date`: 3 bytes BCD YYMMDD. `time`: 3 bytes BCD HHMMSS.
    `unpredictable`: 4 fresh random bytes. `kind`: transaction type (9C; 00 purchase, 20 refund). `cvm_required`: this
    amount requires cardholder verification; so far only CDCVM is possible. `merchant`: name in ASCII, of which 20 bytes
    are used. `authorities`: the CA keys, if the card may approve offline; None = the host decides, now or later.
    `risk`: why the host must decide, as TVR byte 4. `applications`: rows of the host's AID table; empty = the built-in
    list, and then the other arguments hold unchanged. `trusted` (the clock is trusted) and `number` (from risk.draw):
    inputs of `apply_risk`. Raises ValueError for an argument of the wrong length or too large a number.
    """

    def __init__(
        self,
        amount: int,
        currency: int,
        country: int,
        date: bytes,
        unpredictable: bytes,
        ttq: bytes = TTQ,
        kind: int = 0,
        cvm_required: bool = False,
        merchant: bytes = b"",
        authorities: "Authorities | None" = None,
        risk: int = 0,
        capabilities: bytes = CAPABILITIES,
        applications: bytes = b"",
        trusted: bool = False,
        number: int = 1,
        time: bytes = bytes(3),
    ) -> None:
        if len(date) != 3 or len(time) != 3 or len(unpredictable) != 4 or len(ttq) != 4:
            raise ValueError("terms")
        self._data = bytearray(_SIZE)
        self._used = 0
        self._keys = authorities
        self._trusted = trusted
        self._number = number
        self.applications = applications
        self.codes = b""  # action codes of the selected application: denial, online, 5 bytes each; empty = the kernel's
        self.over_limit = False  # an application was rejected because the amount is over its limit
        self.date = date
        self.amount = amount
        digits = bytearray(6)
        money.pack_bcd(amount, digits, 0, 6)
        self._add(0x9F02, digits)
        self._add(0x9F03, bytes(6))
        digits = bytearray(2)
        money.pack_bcd(currency, digits, 0, 2)
        self._add(0x5F2A, digits)
        money.pack_bcd(country, digits, 0, 2)
        self._add(0x9F1A, digits)
        self._add(0x9A, date)
        self._add(0x9F21, time)
        self._add(0x9C, bytes((kind,)))
        self._add(0x9F37, unpredictable)
        self._add(0x9F66, ttq)
        self._add(0x9F33, capabilities)
        for tag, value in _FIXED:
            self._add(tag, value)
        self._add(0x9F6E, _AMEX_READER)
        self._add(0x9F4E, merchant[:_NAME_MAX])
        self.known = memoryview(self._data)[: self._used]  # the terminal's data objects
        self._set_limits(authorities, cvm_required or bool(ttq[1] & _CVM_REQUIRED), risk)

    def apply_risk(self, risk: "Risk") -> None:
        """Apply the selected application's limits: may the card approve offline, and is a CVM required?"""
        reason = risk.reason(self.amount, self._trusted, self._number)
        self._set_limits(None if reason else self._keys, risk.cvm_required(self.amount), reason)

    def _set_limits(self, authorities: "Authorities | None", cvm_required: bool, risk: int) -> None:
        self.authorities, self.cvm_required, self.risk = authorities, cvm_required, risk
        _put(self.value(0x9F66), 1, _CRYPTOGRAM_FOR_HOST, authorities is None)
        _put(self.value(0x9F66), 1, _CVM_REQUIRED, cvm_required)
        _put(self.value(0x9F33), 2, _CAN_CDA, authorities is not None)
        _put(self.value(0x9F6E), 2, _CVM_REQUIRED, cvm_required)

    def value(self, tag: int) -> memoryview:
        """Return the terminal's value of a tag. Raises KeyError if there is none."""
        found = tlv.kept(self.known, self._used, tag)
        if found is None:
            raise KeyError(tag)
        return self.known[found.start : found.end]

    def set(self, tag: int, value: "bytes | bytearray") -> None:
        """Replace the terminal's value of a tag by one of the same length. Raises KeyError if there is none."""
        self.value(tag)[:] = value

    def _add(self, tag: int, value: "bytes | bytearray") -> None:
        self._used = tlv.append(self._data, self._used, tag, value, 0, len(value))


def _put(value: memoryview, byte: int, bit: int, on: bool) -> None:
    value[byte] = value[byte] | bit if on else value[byte] & ~bit
