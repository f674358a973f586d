# SPDX-License-Identifier: MIT
"""Frames and data elements of docs/wire.md. Uses pyiso8583, so that our own codec is not tested against itself."""

import re
from collections.abc import Iterator
from typing import Any

import iso8583

from tools.host.errors import FrameError

MAX_FRAME = 2048  # without the 2-byte length
_MIN_FRAME = 5 + 6 + 2 + 8
_DIGITS = re.compile("[0-9]+")
_CODE = re.compile("[0-9A-Za-z]+")


def _fixed(size: int, enc: str, **more: str) -> dict[str, Any]:
    count = "nibbles" if more.pop("kind", "") == "n" else "bytes"
    return {"data_enc": enc, "len_enc": "bcd", "len_type": 0, "len_count": count, "max_len": size, "desc": "", **more}


def _n(size: int, **pad: str) -> dict[str, Any]:
    return _fixed(size, "b", kind="n", **pad)


def _var(prefix: int, size: int, kind: str) -> dict[str, Any]:
    pad = {"right_pad": "0"} if kind == "n" else {}
    return {**_fixed(size, "b", kind=kind, **pad), "len_type": prefix}


SPEC: dict[str, dict[str, Any]] = {
    "h": _fixed(11, "b"),
    "t": _fixed(2, "b"),
    "p": _fixed(8, "b"),
    "3": _n(6),
    "4": _n(12),
    "11": _n(6),
    "12": _n(6),
    "13": _n(4),
    "22": _n(3, right_pad="0"),
    "25": _n(2),
    "37": _fixed(12, "ascii"),
    "38": _fixed(6, "ascii"),
    "39": _fixed(2, "ascii"),
    "41": _fixed(8, "ascii"),
    "42": _fixed(15, "ascii"),
    "48": _var(2, 322, "n"),
    "49": _fixed(3, "ascii"),
    "53": _var(1, 12, "b"),
    "54": _var(2, 120, "b"),
    "60": _var(2, 17, "n"),
    "61": _var(2, 29, "n"),
    "62": _var(2, 512, "b"),
    "63": _var(2, 163, "b"),
    "64": _fixed(8, "b"),
}
_NUMERIC = tuple(name for name, field in SPEC.items() if field["len_count"] == "nibbles")
_ALPHANUMERIC = ("37", "38", "39", "49")


def split(buffer: bytearray) -> Iterator[bytes]:
    """Take every complete frame off the front of `buffer`; yields each without its 2-byte length.

    Raises FrameError for an impossible length; the rest of the buffer is then meaningless.
    """
    while len(buffer) >= 2:
        size = int.from_bytes(buffer[:2], "big")
        if not _MIN_FRAME <= size <= MAX_FRAME:
            raise FrameError("impossible frame length")
        if len(buffer) - 2 < size:
            return
        frame = bytes(buffer[2 : 2 + size])
        del buffer[: 2 + size]
        yield frame


def decode(frame: bytes) -> dict[str, str]:
    """A frame's data elements by number, plus `h`, `t` and `p`; binary elements as upper-case hex.

    Raises FrameError if header, lengths, bitmap, digits or characters differ from the table in docs/wire.md.
    """
    if not _MIN_FRAME <= len(frame) <= MAX_FRAME:
        raise FrameError("impossible frame length")
    if frame[0] != 0x60 or frame[5:7] != b"\x61\x31":
        raise FrameError("unknown TPDU or header")
    try:
        fields, _ = iso8583.decode(frame, SPEC)
    except (iso8583.DecodeError, KeyError):  # KeyError: a data element outside our dialect
        raise FrameError("cannot be decoded") from None
    for name in _NUMERIC:
        if name in fields and not _DIGITS.fullmatch(fields[name]):
            raise FrameError(f"DE {name} must contain only digits")
    for name in _ALPHANUMERIC:
        if name in fields and not _CODE.fullmatch(fields[name]):
            raise FrameError(f"DE {name} must contain only letters and digits")
    return fields


def encode(fields: dict[str, str]) -> bytes:
    """A frame without its 2-byte length, from elements as returned by `decode`. Raises FrameError."""
    try:
        raw, _ = iso8583.encode({**fields}, SPEC)
    except iso8583.EncodeError as error:
        raise FrameError(f"cannot be encoded: {error.msg}") from None
    if len(raw) > MAX_FRAME:
        raise FrameError("frame too long")
    return bytes(raw)


def with_length(frame: bytes) -> bytes:
    """The frame as transmitted: 2-byte length first."""
    return len(frame).to_bytes(2, "big") + frame
