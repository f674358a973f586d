# SPDX-License-Identifier: MIT
"""The lines of a receipt about the card's application. Loaded only to print them."""

from micropython import const

from kassa.card import tlv

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

_TC = const(0x40)  # kind of cryptogram (9F27): the card approved the payment
_LINES = const("APP\t%s;AID\t%s;%s\t%s;ATC\t%s;TVR %s\tTSI %s")


def lines(data: bytes) -> "Iterator[tuple]":
    """The lines of `data`, see card/sealed_body.py: label, AID, cryptogram, transaction counter, TVR and TSI."""
    label = tlv.kept(data, len(data), 0x50)
    text = ""
    if label is not None:  # the card's own text: only what every printer can print
        text = "".join(
            [chr(byte) if 0x20 <= byte < 0x7F and byte != 0x3B else "?" for byte in data[label.start : label.end]]
        )
    kind = "TC" if int(_hex(data, 0x9F27) or "0", 16) & 0xC0 == _TC else "ARQC"
    values = [_hex(data, tag) for tag in (0x84, 0x9F26, 0x9F36, 0x95, 0x9B)]
    for line in (_LINES % (text, values[0], kind, values[1], values[2], values[3], values[4])).split(";"):
        yield line, 0, False, 1


def _hex(data: bytes, tag: int) -> str:
    found = tlv.kept(data, len(data), tag)
    return "" if found is None else data[found.start : found.end].hex().upper()
