# SPDX-License-Identifier: MIT
"""The one place where card data become elements of the acquirer's message. All of it is in memory only.

No PIN reaches the host today: the terminal has no message that carries one. `pin_block` is what a message with a PIN will
need, to be called from `card_values` with the terminal's PIN key.
"""

import datetime
import string
import warnings
from collections.abc import Mapping
from typing import Any

with warnings.catch_warnings():  # `cryptography` calls TDES "decrepit"; acquirers still use it
    warnings.simplefilter("ignore")
    from psec import des, pinblock

from tools.host.acquirers.card.dialect import Dialect, Form
from tools.host.errors import ProviderFault
from tools.host.keys.card_number import pan_of

_TRACK2, _EXPIRY, _SEQUENCE, _AUTH_CODE = "57", "5F24", "5F34", "89"
Values = Mapping[str, Any]


def card_values(tags: Mapping[str, bytes], dialect: Dialect) -> dict[str, Any]:
    """What a card's data give, by the names of dialect.VALUES. `tags`: of the sealed body. Raises ValueError."""
    track2 = tags.get(_TRACK2, b"").hex().upper().rstrip("F")
    number, _, rest = track2.partition("D")
    expiry = tags[_EXPIRY].hex()[:4] if _EXPIRY in tags else rest[:4]
    return {
        "card": pan_of(tags),
        "expiry": expiry or None,
        "sequence": f"{int(tags[_SEQUENCE].hex()):03}" if _SEQUENCE in tags else None,
        "track2": track2,
        "track2_equals": f"{number}={rest}",
        "emv": emv(tags, dialect.emv),
        "original_auth_code": tags[_AUTH_CODE].decode("ascii") if _AUTH_CODE in tags else None,
    }


def emv(tags: Mapping[str, bytes], wanted: tuple[str, ...]) -> str:
    """DE 55: BER-TLV in hex of those `wanted` tags that are there (EMV Book 3, annex B)."""
    found = [(tag, tags[tag]) for tag in wanted if tag in tags]
    return "".join(f"{tag}{_length(len(value))}{value.hex().upper()}" for tag, value in found)


def _length(size: int) -> str:
    return f"{size:02X}" if size < 0x80 else f"81{size:02X}"


def render(form: Form, dialect: Dialect, values: Values) -> dict[str, str]:
    """The elements of a message. One whose values are not known is left out. Raises ProviderFault."""
    fields: dict[str, str] = {}
    known = {**values, **form.values}
    for element in form.elements:
        if element in form.set:
            fields[element] = form.set[element]
            continue
        template = dialect.values[element]
        named = [name for _, name, _, _ in string.Formatter().parse(template) if name]
        if all(known.get(name) is not None for name in named):
            fields[element] = template.format(**known)
    if missing := [each for each in dialect.match if each not in fields]:
        raise ProviderFault(f"element {missing[0]} has no value")
    return fields


def times(sent: int, prefix: str = "") -> dict[str, Any]:
    """A time (ms since 1970) in UTC and in the host's time zone, as values."""
    at = datetime.datetime.fromtimestamp(sent / 1000, datetime.UTC)
    return {f"{prefix}sent": at, f"{prefix}local": at.astimezone()}


def pin_block(block: bytes, pin_key: bytes, zone_key: bytes, tags: Mapping[str, bytes]) -> bytes:
    """A terminal's PIN block for the acquirer: 16 bytes, ISO 9564 format 4, under the terminal's PIN key of this payment
    (AES DUKPT, usage 1000), to 8 bytes, format 0, under the zone PIN key (two-key TDES).

    The PIN is in memory for this call only. Raises ProviderFault if the block is not for this card and key.
    """
    card = pan_of(tags)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clear = pinblock.encode_pinblock_iso_0(pinblock.decipher_pinblock_iso_4(pin_key, block, card), card)
            return des.encrypt_tdes_ecb(zone_key, clear)
    except ValueError:  # its text may hold the PIN
        raise ProviderFault("a PIN block of another card or key") from None
