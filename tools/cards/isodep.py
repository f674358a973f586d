# SPDX-License-Identifier: MIT
"""The ISO/IEC 14443-4 block protocol: `Picc` is the card, `Pcd` the reader chip. Frames have no CRC here."""

from __future__ import annotations

from collections.abc import Callable

from tools.cards.card import Card, CardGone

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)  # FSDI, FSCI 0..8
RATS, PPS = 0xE0, 0xD0
I_BLOCK, R_ACK, R_NAK, DESELECT, WTX = 0x02, 0xA2, 0xB2, 0xC2, 0xF2
CHAINING, HAS_CID, HAS_NAD = 0x10, 0x08, 0x04
TIMEOUT, PROTOCOL = 0x01, 0x0B  # PN532 error codes
_MAX_BLOCKS = 64
_MAX_APDU = 4096


class RfError(Exception):
    """The RF exchange failed; `status` is a PN532 status code."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:02x}")
        self.status = status


class Picc:
    """A card in the field: takes a frame and returns one, or None if the card is silent."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.present = True
        self.reset()

    def reset(self) -> None:
        """The field went off: back to the idle state."""
        self.halted = False
        self.active = False
        self._block = 1
        self._fsd = 32
        self._command = b""
        self._pending: list[bytes] = []
        self._last: bytes | None = None
        self._waits = 0

    def frame(self, data: bytes) -> bytes | None:
        """Answer one frame from the reader."""
        if not self.present or self.halted or not data:
            return None
        try:
            answer = self._block_in(data) if self.active else self._activate(data)
        except CardGone:
            self.present = False
            return None
        return answer if self.present else None

    def activate_b(self) -> None:
        """Open layer 4 of a type B card, after ATTRIB."""
        self.active, self._fsd, self._block = True, 64, 1
        self.card.reset()

    def _activate(self, data: bytes) -> bytes | None:
        if data[0] != RATS or len(data) != 2 or not self.card.sel_res & 0x20:
            return None
        self._fsd = FRAME_SIZES[min(data[1] >> 4, 8)]
        self.active, self._block = True, 1
        self.card.reset()
        return self.card.ats

    def _block_in(self, data: bytes) -> bytes | None:
        pcb = data[0]
        if pcb & 0xF0 == PPS:
            return data[:1]
        header = 1 + bool(pcb & HAS_CID)
        if pcb & 0xC0 == 0x00:
            header += bool(pcb & HAS_NAD)
            return self._i_block(pcb, data[1 : 1 + bool(pcb & HAS_CID)], data[header:])
        if pcb & 0xC0 == 0x80:
            return self._r_block(pcb, data[1:header])
        if pcb & 0xF7 == DESELECT:
            self.halted = True
            return data
        if pcb & 0xF7 == WTX and self._waits:
            self._waits -= 1
            return self._wait(data[1:header]) if self._waits else self._next(data[1:header])
        return None

    def _i_block(self, pcb: int, cid: bytes, data: bytes) -> bytes | None:
        self._block ^= 1
        self._command += data
        if len(self._command) > _MAX_APDU:
            return None
        if pcb & CHAINING:
            return self._say(R_ACK, cid, b"")
        command, self._command = self._command, b""
        answer = self.card.transmit(command) if command else b""
        room = self._fsd - 3 - len(cid)
        self._pending = [answer[at : at + room] for at in range(0, len(answer), room)] or [b""]
        self._waits = self.card.wtx
        return self._wait(cid) if self._waits else self._next(cid)

    def _r_block(self, pcb: int, cid: bytes) -> bytes | None:
        if pcb & 1 == self._block:
            return self._last
        if pcb & 0x10:  # R(NAK) with the other block number: acknowledge; also the presence check
            return self._say(R_ACK, cid, b"")
        self._block ^= 1
        return self._next(cid)

    def _next(self, cid: bytes) -> bytes | None:
        if not self._pending:
            return None
        chunk = self._pending.pop(0)
        return self._say(I_BLOCK | (CHAINING if self._pending else 0), cid, chunk)

    def _wait(self, cid: bytes) -> bytes:
        return self._say(WTX, cid, b"\x01")

    def _say(self, pcb: int, cid: bytes, data: bytes) -> bytes:
        if pcb != WTX:
            pcb |= self._block
        self._last = bytes((pcb | (HAS_CID if cid else 0),)) + cid + data
        return self._last


class Pcd:
    """The reader chip: exchanges whole APDUs; handles activation, chaining, block numbers and waiting times."""

    def __init__(self, send: Callable[[bytes], bytes | None], cid: int) -> None:
        self._send = send
        self._cid = bytes((cid,)) if cid else b""
        self._block = 0
        self._fsc = 32

    def activate(self) -> bytes:
        """Send RATS with FSD 64. Returns the card's ATS, including its length byte. Raises RfError."""
        ats = self._send(bytes((RATS, 0x50 | (self._cid[0] if self._cid else 0))))
        if not ats:
            raise RfError(TIMEOUT)
        if len(ats) > 1:
            self._fsc = FRAME_SIZES[min(ats[1] & 0x0F, 8)]
        return ats

    def exchange(self, apdu: bytes) -> bytes:
        """Exchange one APDU. Raises RfError with a PN532 status code."""
        room = self._fsc - 3 - len(self._cid)
        chunks = [apdu[at : at + room] for at in range(0, len(apdu), room)] or [b""]
        answer = None
        for index, chunk in enumerate(chunks):
            more = index + 1 < len(chunks)
            answer = self._turn(I_BLOCK | (CHAINING if more else 0), chunk)
            if more and answer[0] & 0xF6 != R_ACK:
                raise RfError(PROTOCOL)
        return self._collect(answer or b"")

    def present(self) -> bool:
        """The presence check: sends R(NAK), which any active card acknowledges."""
        return self._send(bytes((R_NAK | self._block | (HAS_CID if self._cid else 0),)) + self._cid) is not None

    def _collect(self, block: bytes) -> bytes:
        whole = b""
        for _ in range(_MAX_BLOCKS):
            if block[0] & 0xE2 != I_BLOCK:
                raise RfError(PROTOCOL)
            whole += block[1 + len(self._cid) :]
            if not block[0] & CHAINING:
                return whole
            block = self._turn(R_ACK, b"")
        raise RfError(PROTOCOL)

    def _turn(self, pcb: int, data: bytes) -> bytes:
        """Send one numbered block, grant waiting time extensions, return the numbered answer."""
        frame = bytes((pcb | self._block | (HAS_CID if self._cid else 0),)) + self._cid + data
        for _ in range(_MAX_BLOCKS):
            answer = self._send(frame)
            if not answer:
                raise RfError(TIMEOUT)
            if answer[0] & 0xF7 != WTX:
                if answer[0] & 1 != self._block:
                    raise RfError(PROTOCOL)
                self._block ^= 1
                return answer
            frame = answer  # S(WTX): echoing it grants the extension
        raise RfError(TIMEOUT)
