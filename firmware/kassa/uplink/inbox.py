# SPDX-License-Identifier: MIT
"""Splits the received byte stream into whole frames."""

from micropython import const

from kassa.errors import WireError
from kassa.uplink.iso8583 import MAX_FRAME

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator


class Inbox:
    """Holds at most one incomplete frame."""

    def __init__(self, partial: bytes = b"") -> None:
        """`partial`: what has already been received of the first frame."""
        self._buffer = bytearray(MAX_FRAME)
        self._filled = len(partial)
        self._buffer[: self._filled] = partial

    def partial(self) -> bytes:
        """What has been received of an incomplete frame."""
        return bytes(self._buffer[: self._filled])

    def frames(self, data: memoryview) -> "Iterator[memoryview]":
        """Yield each frame that `data` completes, with its length field. It is valid until the next one.

        Raises WireError if a length exceeds that of any answer: the stream can no longer be split into frames.
        """
        at = 0
        while at < len(data):
            part = min(len(data) - at, MAX_FRAME - self._filled)
            self._buffer[self._filled : self._filled + part] = data[at : at + part]
            self._filled += part
            at += part
            yield from self._whole()

    def _whole(self) -> "Iterator[memoryview]":
        buffer = self._buffer
        start = 0
        while self._filled - start >= 2:
            size = 2 + (buffer[start] << 8 | buffer[start + 1])
            if size > MAX_FRAME:
                raise WireError("frame too long")
            if self._filled - start < size:
                break
            yield memoryview(buffer)[start : start + size]
            start += size
        rest = self._filled - start
        if start:
            buffer[:rest] = buffer[start : self._filled]
            self._filled = rest
