# SPDX-License-Identifier: MIT
"""Processing restrictions and terminal action analysis, before GENERATE AC (EMV Book 3, 10.4 and 10.7).

The results go into the terminal verification results (TVR, tag 95, five bytes).
"""

from micropython import const

from kassa.card import track2
from kassa.card.track2 import before

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

AAC = const(0x00)
TC = const(0x40)
ARQC = const(0x80)
# TVR byte 2
EXPIRED = const(0x40)
UNFIT = const(0x70)  # expired, not yet effective or not allowed: never approved offline, whatever the action codes
_OTHER_VERSION = const(0x80)
_NOT_YET = const(0x20)
_NOT_ALLOWED = const(0x10)
_NOT_AT_ATMS = const(0x01)  # application usage control, byte 1
# application usage control, byte 1: goods and services, domestic and international
_GOODS_AT_HOME = const(0x28)
_GOODS_ABROAD = const(0x14)
_IAC_DENIAL = const(0x9F0E)
_IAC_ONLINE = const(0x9F0F)


def check(terms: "Terms", arena: "Arena", tvr: bytearray) -> None:
    """Check version, dates (track 2's too) and usage control. Each failure sets a bit in byte 2 of `tvr`."""
    version = arena.kept(0x9F08)
    if version is not None and version.data[version.start : version.end] != terms.value(0x9F09):
        tvr[1] |= _OTHER_VERSION
    start = arena.kept(0x5F25)
    if start is not None and before(terms.date, 0, start.data[start.start : start.end], 3):
        tvr[1] |= _NOT_YET
    until = arena.need(0x5F24)
    if before(until.data, until.start, terms.date, 3) or track2.expired(*track2.card_number(arena), terms.date):
        tvr[1] |= EXPIRED
    usage, country = arena.kept(0x9F07), arena.kept(0x5F28)
    if usage is not None:
        allowed = usage.data[usage.start]
        needed = _GOODS_AT_HOME | _GOODS_ABROAD
        if country is not None:
            at_home = country.data[country.start : country.end] == terms.value(0x9F1A)
            needed = _GOODS_AT_HOME if at_home else _GOODS_ABROAD
        if not allowed & _NOT_AT_ATMS or not allowed & needed:
            tvr[1] |= _NOT_ALLOWED


def choose_cryptogram(arena: "Arena", tvr: bytearray, denial: bytes, online: bytes, provable: bool) -> int:
    """Terminal action analysis: return the type of cryptogram to request (AAC, ARQC or TC).

    `denial`, `online`: the terminal's action codes. `provable`: the card may approve offline. The Default codes are not
    used: they are for a terminal that cannot go online, and this one defers the payment and requests an ARQC.
    """
    if _match(arena, tvr, denial, _IAC_DENIAL, 0x00):
        return AAC
    if not provable or _match(arena, tvr, online, _IAC_ONLINE, 0xFF):
        return ARQC
    return TC


def _match(arena: "Arena", tvr: bytearray, ours: bytes, tag: int, missing: int) -> bool:
    """Return whether a bit in `tvr` is also set in our action code or the issuer's.

    `missing`: default byte of the latter.
    """
    theirs = arena.kept(tag)
    for index in range(5):
        code = missing if theirs is None else theirs.data[theirs.start + index]
        if tvr[index] & (ours[index] | code):
            return True
    return False
