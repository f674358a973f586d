# SPDX-License-Identifier: MIT
"""The elements of a dialect as pyiso8583 wants them, and how messages are framed on the connection."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.host.errors import SetupError

_FORM = re.compile(r"(n|an|z|b)(\.{0,3})([0-9]{1,3})( left)?")
_SHORTEST = 4 + 8  # MTI and bitmap, in any encoding at least this


@dataclass(frozen=True, slots=True)
class Framing:
    """`digits`: 4 ASCII digits before a message, instead of 2 bytes. `header`: bytes of the header; `most`: of a message."""

    digits: bool
    header: bytes
    most: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Framing":
        """From the table [frame]. Raises ValueError, KeyError."""
        return cls({"binary": False, "digits": True}[row["length"]], bytes.fromhex(row["header"]), int(row["most"]))

    @property
    def size(self) -> int:
        """Bytes of the length."""
        return 4 if self.digits else 2

    def wrap(self, message: bytes) -> bytes:
        """A message as it is sent, its length first."""
        return (b"%04d" % len(message) if self.digits else len(message).to_bytes(2, "big")) + message

    def length(self, prefix: bytes) -> int:
        """The length that a prefix says. Raises ValueError if no message can have it."""
        if self.digits and not (prefix.isdigit() and prefix.isascii()):
            raise ValueError("a length that is no number")
        length = int(prefix) if self.digits else int.from_bytes(prefix, "big")
        if not len(self.header) + _SHORTEST - 2 <= length <= self.most:
            raise ValueError("a length that no message has")
        return length


def spec(elements: Mapping[str, str], encoding: Mapping[str, str], header: str) -> dict[str, dict[str, Any]]:
    """pyiso8583's specification. `elements`: by number, as in "n..19". Raises SetupError."""
    bcd = {"bcd": True, "ascii": False}[encoding["numbers"]]
    bitmap = {"binary": "b", "hex": "ascii"}[encoding["bitmap"]]
    size = len(bytes.fromhex(header))
    found = {
        "h": _entry("b", 0, size, bcd),
        "t": _entry("b", 0, 2, bcd) if bcd else _entry("ascii", 0, 4, bcd),
        "p": _entry(bitmap, 0, 8 if bitmap == "b" else 16, bcd),
        "1": _entry(bitmap, 0, 8 if bitmap == "b" else 16, bcd),
    }
    for number, form in elements.items():
        matched = _FORM.fullmatch(form)
        if not matched or not number.isdecimal() or not 2 <= int(number) <= 128:
            raise SetupError(f"element {number}: {form!r} is not understood")
        kind, dots, most, left = matched.groups()
        found[number] = _element(kind, len(dots), int(most), bool(left), bcd)
    return found


def _element(kind: str, prefix: int, most: int, left: bool, bcd: bool) -> dict[str, Any]:
    """`desc` keeps the kind, so that what is received can be checked."""
    if kind == "b":
        return {**_entry("b", prefix, most, bcd), "desc": kind}
    if kind == "an" or not bcd:
        return {**_entry("ascii", prefix, most, bcd), "desc": kind}
    pad = {"right_pad": "0"} if left or prefix else {"left_pad": "0"}
    return {**_entry("b", prefix, most, bcd), "len_count": "nibbles", "desc": kind, **pad}


def _entry(data: str, prefix: int, most: int, bcd: bool) -> dict[str, Any]:
    """`prefix`: digits of the length; in BCD they take half as many bytes."""
    kind, size = ("bcd", (prefix + 1) // 2) if bcd else ("ascii", prefix)
    return {"data_enc": data, "len_enc": kind, "len_type": size, "len_count": "bytes", "max_len": most, "desc": ""}
