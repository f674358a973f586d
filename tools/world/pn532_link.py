# SPDX-License-Identifier: MIT
"""The virtual PN532's host links: frames (normal, extended, ACK, NACK, error) over SPI or I2C with IRQ, or over HSU.

Source: UM0701-02, chapter 6. `SpiLink` and `I2cLink` are devices on simulated buses, `HsuLink` is a UART peer.
A chip has one of them: its pins I0 and I1 select it.
"""

from __future__ import annotations

import random

from tools.world.pn532_chip import PN532, SYNTAX_ERROR
from tools.world.pn532_radio import Field

__all__ = ["PN532", "Faults", "Field", "HsuLink", "I2cLink", "SpiLink", "frame"]

ACK = bytes.fromhex("0000ff00ff00")
NACK = bytes.fromhex("0000ffff0000")
HOST, CHIP = 0xD4, 0xD5
_LEN_MAX = 265
_WAKE_BYTES = 5  # a sleeping chip wakes after at least five bytes of 55 or 00
_I2C_BUSY_MS = 1  # after a frame from the host, the chip does not acknowledge its I2C address for so long
_HSU_BYTES_PER_MS = 11  # 115200 baud


def frame(content: bytes) -> bytes:
    """Wrap TFI and payload in a normal frame, or in an extended one if the length does not fit a byte."""
    size = len(content)
    if size <= 0xFF:
        head = bytes((size, -size & 0xFF))
    else:
        head = b"\xff\xff" + size.to_bytes(2, "big") + bytes((-(size >> 8) - size & 0xFF,))
    return b"\x00\x00\xff" + head + content + bytes((-sum(content) & 0xFF, 0))


class Faults:
    """Faults of the chip or its wires. `torn` and `checksum` affect replies only; their ACK is sent as usual."""

    def __init__(self) -> None:
        self.silent = False  # the chip never answers
        self.garbage: random.Random | None = None  # every byte read is random
        self.torn = 0  # this many replies lose their second half
        self.checksum = 0  # this many replies have a wrong data checksum

    def spoil(self, reply: bytes) -> bytes:
        """The reply with the pending faults applied."""
        if self.torn:
            self.torn -= 1
            return reply[: len(reply) // 2].ljust(len(reply), b"\x00")
        if self.checksum:
            self.checksum -= 1
            return reply[:-2] + bytes((reply[-2] ^ 0x5A,)) + reply[-1:]
        return reply


class _Port:
    """The framing between a link and the chip: parses frames from the host, queues frames for the host to read."""

    def __init__(self, chip: PN532, faults: Faults) -> None:
        self.chip = chip
        self.faults = faults
        self._begin()

    def _begin(self) -> None:
        self._starts = self.chip.starts
        self._incoming = bytearray()
        self._acks: list[bytes] = []
        self._reply = b""  # unread
        self._last = b""  # for NACK

    def feed(self, data: bytes) -> None:
        """Take bytes from the host. Like the chip, ignores bytes outside frames and frames with a wrong checksum."""
        if self._starts != self.chip.starts:
            self._begin()
        self._incoming += data
        while self._take():
            pass

    def waiting(self) -> bytes:
        """The frame the host can read now, or b""."""
        if self._starts != self.chip.starts:
            self._begin()
        if self.faults.silent:
            return b""
        if self._acks:
            return self._acks[0]
        if not self._reply:
            content = self.chip.poll()
            if content is not None:
                self._last = frame(content if content == SYNTAX_ERROR else bytes((CHIP,)) + content)
                self._reply = self.faults.spoil(self._last)
        return self._reply

    def taken(self) -> None:
        """The host has read the waiting frame."""
        if self._acks:
            self._acks.pop(0)
        else:
            self._reply = b""

    def _take(self) -> bool:
        """Consume one frame from the buffer. Returns False if there is no complete one."""
        data = self._incoming
        start = data.find(b"\x00\xff")
        if start < 0:
            del data[: max(0, len(data) - 1)]
            return False
        head = data[start + 2 :]
        if len(head) < 2:
            return False
        if head[:2] in (b"\x00\xff", b"\xff\x00"):
            del data[: start + 4]
            self._acknowledge() if head[0] == 0 else self._resend()
            return True
        size, skip = head[0], 2
        good = sum(head[:2]) & 0xFF == 0
        if head[:2] == b"\xff\xff":
            if len(head) < 5:
                return False
            size, skip = head[2] << 8 | head[3], 5
            good = sum(head[2:5]) & 0xFF == 0
        if not good:
            del data[: start + 2]
            return True
        if size <= _LEN_MAX and len(head) < skip + size + 1:
            return False
        content = bytes(head[skip : skip + size])
        good = size <= _LEN_MAX and sum(head[skip : skip + size + 1]) & 0xFF == 0
        del data[: start + 2 + skip + (size + 1 if good else 0)]
        if good:
            self._command(content)
        return True

    def _command(self, content: bytes) -> None:
        self._acks, self._reply = [ACK], b""
        self.chip.start(content[1:] if content[:1] == bytes((HOST,)) else b"")

    def _acknowledge(self) -> None:
        self._acks, self._reply = [], b""
        self.chip.abort()

    def _resend(self) -> None:
        self._reply = self.faults.spoil(self._last)


class SpiLink:
    """The chip as an SPI device. First byte of a selection: 01 write, 02 status, 03 read. Pin "irq": low = frame ready."""

    def __init__(self, chip: PN532, faults: Faults | None = None) -> None:
        self.chip = chip
        self.faults = faults or Faults()
        self._port = _Port(chip, self.faults)
        self._mode: int | None = None
        self._reading = b""
        self._at = 0

    def tick(self, now_ms: int) -> None:
        """Set the time, in virtual ms since power-on."""
        self.chip.tick(now_ms)

    def select(self) -> None:
        """NSS goes low. A sleeping chip wakes up and misses this selection's bytes."""
        self._mode = -1 if self.chip.asleep else None
        self.chip.wake("spi")

    def deselect(self) -> None:
        """NSS goes high. A frame read to its end is done; an interrupted read resumes with its last byte repeated."""
        if self._mode == 3 and self._reading:
            if self._at >= len(self._reading):
                self._port.taken()
                self._reading, self._at = b"", 0
            else:
                self._at = max(0, self._at - 1)
        self._mode = None

    def transfer(self, out: bytes) -> bytes:
        """Exchange bytes, full duplex: returns as many bytes as are sent."""
        back = bytearray()
        write = bytearray()
        for byte in out:
            if self._mode is None:
                self._mode = byte
                if byte == 3 and self._port.waiting() != self._reading:
                    self._reading, self._at = self._port.waiting(), 0
                back.append(0)
            elif self._mode == 1:
                write.append(byte)
                back.append(0)
            else:
                back.append(self._read_byte())
        if write:
            self._reading, self._at = b"", 0
            self._port.feed(bytes(write))
        return bytes(back)

    def level(self, name: str) -> int:
        """Level of the output pin "irq", the chip's only one."""
        return int(not (self.chip.irq_enabled and self._port.waiting()))

    def _read_byte(self) -> int:
        if self.faults.garbage:
            return self.faults.garbage.randrange(256)
        if self._mode == 2:
            return 1 if self._port.waiting() else 0
        if self._mode == 3 and self._at < len(self._reading):
            self._at += 1
            return self._reading[self._at - 1]
        return 0


class I2cLink:
    """The chip as an I2C device. Pin "irq": low = frame ready.

    Every read starts with a status byte (01 = a frame follows). A frame that is not read to its end is sent again from
    its beginning. A sleeping chip does not acknowledge its address, but wakes from it.
    """

    ADDRESS = 0x24

    def __init__(self, chip: PN532, faults: Faults | None = None) -> None:
        self.chip = chip
        self.faults = faults or Faults()
        self._port = _Port(chip, self.faults)
        self._now: int | None = None
        self._busy_until = 0

    def tick(self, now_ms: int) -> None:
        """Set the time, in virtual ms since power-on."""
        if self._now is not None and now_ms < self._now:
            self._busy_until = 0  # a new life of the board
        self._now = now_ms
        self.chip.tick(now_ms)

    def write(self, data: bytes) -> bool:
        """Take a transfer from the host. Returns whether the address was acknowledged."""
        if not self._listens():
            return False
        self._port.feed(data)
        if self._now is not None:
            self._busy_until = self._now + _I2C_BUSY_MS
        return True

    def read(self, size: int) -> bytes | None:
        """The bytes of a read transfer, None if the address was not acknowledged."""
        if not self._listens():
            return None
        if self.faults.garbage:
            return self.faults.garbage.randbytes(size)
        waiting = self._port.waiting()
        if not waiting:
            return b"\x00" + b"\xff" * (size - 1)
        if size > len(waiting):
            self._port.taken()
        return (b"\x01" + waiting)[:size].ljust(size, b"\x00")

    def level(self, name: str) -> int:
        """Level of the output pin "irq", the chip's only one."""
        return int(not (self.chip.irq_enabled and not self._busy() and self._port.waiting()))

    def _busy(self) -> bool:
        return self._now is not None and self._now < self._busy_until

    def _listens(self) -> bool:
        asleep = self.chip.asleep
        self.chip.wake("i2c")
        return not asleep and not self._busy()


class HsuLink:
    """The chip as a UART peer: frames stream both ways, and replies are sent unprompted."""

    def __init__(self, chip: PN532, faults: Faults | None = None) -> None:
        self.chip = chip
        self.faults = faults or Faults()
        self._port = _Port(chip, self.faults)
        self._edges = 0
        self._now: int | None = None
        self._out = b""
        self._due = 0  # bytes that have had time to arrive

    def tick(self, now_ms: int) -> None:
        """Set the time, in virtual ms since power-on. From then on, bytes arrive at the speed of the line."""
        if self._now is None or now_ms < self._now:
            self._out = b""
        self._due = min(len(self._out), self._due + _HSU_BYTES_PER_MS * max(0, now_ms - (self._now or 0)))
        self._now = now_ms
        self.chip.tick(now_ms)

    @property
    def sending(self) -> bool:
        return bool(self._out)

    def receive(self, data: bytes) -> None:
        """Take bytes from the host. A sleeping chip needs a long preamble to wake up."""
        if self.faults.silent:
            return
        at = 0
        while self.chip.asleep and at < len(data):
            self._edges = self._edges + 1 if data[at] in (0x00, 0x55) else 0
            at += 1
            if self._edges >= _WAKE_BYTES:
                self._edges = 0
                self.chip.wake("hsu")
                self._port.feed(b"\x00")
        self._port.feed(data[at:])

    def send(self) -> bytes:
        """Take the bytes waiting for the host."""
        while waiting := self._port.waiting():
            self._out += waiting
            self._port.taken()
        count = len(self._out) if self._now is None else self._due
        out, self._out = self._out[:count], self._out[count:]
        self._due = 0
        if out and self.faults.garbage:
            return self.faults.garbage.randbytes(len(out))
        return out
