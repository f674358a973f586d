# SPDX-License-Identifier: MIT
"""A terminal for testing the host: a second implementation of docs/wire.md and docs/journal.md, on `cryptography`."""

import os
import socket
import ssl
import struct
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

BDK = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")
IKID = bytes.fromhex("1234567890123456")
_SIZES = {3: 3, 4: 6, 11: 3, 12: 3, 13: 2, 22: 2, 25: 1, 37: 12, 38: 6, 39: 2, 41: 8, 42: 15, 49: 3, 64: 8}
_DIGITS = (48, 60, 61)  # LLLVAR whose length counts digits
_WAIT = 10.0


def aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def mac(key: bytes, data: bytes) -> bytes:
    cmac = CMAC(algorithms.AES(key))
    cmac.update(data)
    return cmac.finalize()[:8]


def derive(usage: int, counter: int, ikid: bytes = IKID) -> bytes:
    """Working key for key id and counter as in X9.24-3: from the initial key, one derivation per one-bit."""
    key = aes(BDK, bytes.fromhex("0101800100020080") + ikid)
    done = 0
    for bit in range(31, -1, -1):
        if counter & 1 << bit:
            done |= 1 << bit
            key = aes(key, bytes.fromhex("0101800000020080") + ikid[4:] + struct.pack(">I", done))
    return aes(key, struct.pack(">HHHH", 0x0101, usage, 2, 128) + ikid[4:] + struct.pack(">I", counter))


@dataclass
class Answer:
    """A frame from the host: the frame, its MTI, and its elements (raw bytes without length prefixes)."""

    frame: bytes
    mti: str
    elements: dict[int, bytes]

    @property
    def code(self) -> str:
        return self.elements[39].decode()

    @property
    def uid(self) -> bytes:
        return self.elements[63][3:19]

    @property
    def text(self) -> str:
        return self.elements[63][19:].decode()

    @property
    def content(self) -> dict[int, bytes]:
        """All elements except KSN and MAC (53 and 64)."""
        return {number: value for number, value in self.elements.items() if number not in (53, 64)}

    @property
    def mac_holds(self) -> bool:
        counter = int.from_bytes(self.elements[53][8:], "big")
        return mac(derive(0x2001, counter, self.elements[53][:8]), self.frame[5:-8]) == self.frame[-8:]


def parse(frame: bytes) -> Answer:
    """Parse `frame`, which has no length prefix. Raises ValueError if bytes are left over or missing."""
    elements: dict[int, bytes] = {}
    bitmap, at = int.from_bytes(frame[13:21], "big"), 21
    for number in range(1, 65):
        if not bitmap >> (64 - number) & 1:
            continue
        size = _SIZES.get(number)
        if size is None:
            prefix = 1 if number == 53 else 2
            size = int(frame[at : at + prefix].hex())
            size = (size + 1) // 2 if number in _DIGITS else size
            at += prefix
        elements[number] = frame[at : at + size]
        at += size
    if at != len(frame):
        raise ValueError("the frame does not end with its last element")
    return Answer(frame, frame[11:13].hex(), elements)


def element(number: int, value: bytes, digits: int | None = None) -> bytes:
    """One encoded data element; `digits` where the length counts digits."""
    if number in _SIZES:
        return value
    count = len(value) if digits is None else digits
    return bytes.fromhex(f"{count:02}" if number == 53 else f"{count:04}") + value


@dataclass
class Record:
    """A sealed record (248 bytes), and the values that its frame must repeat."""

    raw: bytes
    entry: bytes = b"\x07\x20"

    uid = property(lambda self: self.raw[8:24])
    amount = property(lambda self: self.raw[24:30])
    stan = property(lambda self: self.raw[32:35])
    batch = property(lambda self: self.raw[35:38])
    tag = property(lambda self: self.raw[240:248])


@dataclass
class Terminal:
    """Counters and identity of one device. Builds records and frames, and talks TLS to the host."""

    terminal: bytes = b"KASSA001"
    merchant: bytes = b"898000000000001"
    epoch: int = 1
    batch: int = 1
    sequence: int = 0
    stan: int = 0
    counter: int = 0
    head: bytes = bytes(8)
    ikid: bytes = IKID
    line: ssl.SSLSocket | None = field(default=None, repr=False)

    def next_counter(self) -> int:
        self.counter += 1
        while self.counter.bit_count() > 16:
            self.counter += 1
        return self.counter

    def next_stan(self) -> int:
        self.stan += 1
        return self.stan

    def record(self, amount: int, body: bytes = b"", *, kind: int = 0x51, type: int = 0x22, **more: bytes) -> Record:
        """Seal the next payment. `more`: header bytes to replace before sealing, keyed by offset, as `at_24=...`."""
        self.sequence += 1
        counter = self.next_counter()
        entry, pan = (0x07, body[2:10] if body[1] else bytes(8)) if body else (0, bytes(8))
        header = bytearray(64)
        struct.pack_into(">BBHI", header, 0, kind, type, self.epoch, self.sequence)
        header[8:24] = os.urandom(16)
        header[24:32] = bytes.fromhex(f"{amount:012}0156")
        header[32:38] = bytes.fromhex(f"{self.next_stan():06}{self.batch:06}")
        struct.pack_into(">IBBI", header, 38, counter, entry, 1, 800_000_000)
        header[48:53] = pan[:3] + pan[6:8]
        header[56:64] = self.head
        for where, value in more.items():
            at = int(where[3:])
            header[at : at + len(value)] = value
        encryptor = Cipher(algorithms.AES(derive(0x3000, counter, self.ikid)), modes.CBC(bytes(16))).encryptor()
        tagged = bytes(header) + encryptor.update(os.urandom(16) + body.ljust(160, b"\0"))
        self.head = mac(derive(0x2002, counter, self.ikid), tagged)
        return Record(tagged + self.head, b"\x07\x20" if body else b"\x00\x20")

    def sale(self, record: Record, deferred: bool = False, **replace: bytes) -> bytes:
        return self.payment(0x0200, "70" if deferred else "22", record, **replace)

    def cash(self, record: Record) -> bytes:
        return self.payment(0x0220, "71", record)

    def void(self, record: Record) -> bytes:
        return self.payment(0x0220, "72", record)

    def reversal(self, record: Record, type: str = "22", reason: bytes = b"98") -> bytes:
        original = element(61, record.batch + record.stan, 12)
        return self.payment(0x0400, type, record, de_39=reason, de_61=original)

    def payment(self, mti: int, type: str, record: Record, **replace: bytes) -> bytes:
        """A frame around a record. `replace`: encoded elements to override, as `de_4=...`."""
        elements = {
            3: bytes(3),
            4: record.amount,
            11: record.stan,
            22: record.entry,
            25: b"\0",
            41: self.terminal,
            42: self.merchant,
            49: b"156",
            60: element(60, bytes.fromhex(f"{type}{record.batch.hex()}000600"), 14),
            62: element(62, b"\x01" + record.raw),
            63: element(63, b"01 " + record.uid),
        }
        elements.update({int(name[3:]): value for name, value in replace.items()})
        return self.frame(mti, elements)

    def handshake(self, **more: int) -> bytes:
        sequence = more.get("sequence", self.sequence)
        body = struct.pack(">BHI", 1, more.get("epoch", self.epoch), sequence) + (self.head if sequence else bytes(8))
        return self.management(0x0800, "900", os.urandom(16), {62: element(62, body)})

    def all_sent(self, watermark: int, pending: int = 0) -> bytes:
        """The end of what a host that is behind wants again."""
        body = struct.pack(">BHHHI", 1, pending, 9, 0, watermark)
        return self.management(0x0820, "901", os.urandom(16), {62: element(62, body)})

    def close(self, amount: int, count: int, uid: bytes | None = None, stan: int | None = None) -> bytes:
        form = bytes.fromhex(f"{amount:012}{count:03}" + "0" * 47)
        totals = {48: element(48, form, 62), 49: b"156"}
        return self.management(0x0500, "201", uid or os.urandom(16), totals, stan)

    def management(self, mti: int, network: str, uid: bytes, more: dict[int, bytes], stan: int | None = None) -> bytes:
        elements = {
            11: bytes.fromhex(f"{stan or self.next_stan():06}"),
            41: self.terminal,
            42: self.merchant,
            60: element(60, bytes.fromhex(f"00{self.batch:06}{network}0"), 11),
            63: element(63, b"01 " + uid),
            **more,
        }
        return self.frame(mti, elements)

    def frame(self, mti: int, elements: dict[int, bytes], counter: int | None = None) -> bytes:
        """The frame as sent, with its 2-byte length, under a fresh message KSN unless `counter` is given."""
        counter = counter or self.next_counter()
        elements = {**elements, 53: element(53, self.ikid + struct.pack(">I", counter))}
        bitmap = sum(1 << (64 - number) for number in (*elements, 64))
        head = bytes.fromhex("6000030000613100000100") + struct.pack(">HQ", mti, bitmap)
        frame = head + b"".join(elements[number] for number in sorted(elements))
        return self.wrap(frame + mac(derive(0x2000, counter, self.ikid), frame[5:]))

    @staticmethod
    def wrap(frame: bytes) -> bytes:
        return struct.pack(">H", len(frame)) + frame

    def connect(self, port: int, folder: Path, name: str = "terminal", source: str = "") -> "Terminal":
        """Connect to the host over TLS with the certificates in `folder` (ca.pem, NAME.pem, NAME.key.pem).

        `source`: the address of the loopback to connect from.
        """
        self.hang_up()
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key.pem")
        return self.wrap_with(context, port, source)

    def wrap_with(self, context: ssl.SSLContext, port: int, source: str = "") -> "Terminal":
        """Connect to the host as `context` says; see `connect`."""
        plain = socket.create_connection(("127.0.0.1", port), _WAIT, (source, 0) if source else None)
        self.line = context.wrap_socket(plain, server_hostname="kassa-host.test")
        return self

    def hang_up(self) -> None:
        if self.line:
            self.line.close()
            self.line = None

    def send(self, *frames: bytes) -> None:
        assert self.line
        self.line.sendall(b"".join(frames))

    def receive(self) -> Answer:
        """The next answer. Raises EOFError if the host closed the connection, TimeoutError after ten seconds."""
        return parse(self._take(struct.unpack(">H", self._take(2))[0]))

    def ask(self, frame: bytes) -> Answer:
        """Send one frame and return the answer, whose MAC must be valid."""
        self.send(frame)
        answer = self.receive()
        assert answer.mac_holds
        return answer

    def _take(self, size: int) -> bytes:
        assert self.line
        data = b""
        while len(data) < size:
            more = self.line.recv(size - len(data))
            if not more:
                raise EOFError("the host closed the line")
            data += more
        return data
