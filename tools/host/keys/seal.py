# SPDX-License-Identifier: MIT
"""The sealed record in DE 62 (docs/journal.md): clear header, sealed body, seal tag."""

import contextlib
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tools.host.errors import KeyMissing, SealError
from tools.host.keys import dukpt, mac
from tools.host.keys.key_store import KeyStore

SIZE = 248
_HEADER = 64
_TAGGED = 240
_NONCE = 16
ACCEPTED, INTENT = 0x51, 0x52


@dataclass(frozen=True, slots=True)
class Record:
    """A sealed record: the raw bytes and the fields of its clear header. Amount in minor units, tags 8 bytes."""

    raw: bytes
    kind: int
    type: str
    epoch: int
    sequence: int
    uid: bytes
    amount: int
    currency: str
    stan: str
    batch: str
    counter: int
    entry_mode: str
    operator: str
    taken_at: int
    first6: str
    last4: str
    flags: int
    previous_tag: bytes

    @property
    def header(self) -> bytes:
        return self.raw[:_HEADER]

    @property
    def seal_tag(self) -> bytes:
        return self.raw[_TAGGED:]

    @property
    def body_hash(self) -> bytes:
        """SHA-256 of the sealed body; stored in place of the body."""
        return hashlib.sha256(self.raw[_HEADER:_TAGGED]).digest()


def parse(raw: bytes) -> Record:
    """Parse the clear header of a sealed record (248 bytes). Raises SealError if it is invalid."""
    if len(raw) != SIZE:
        raise SealError("a sealed record must have 248 bytes")
    if raw[0] not in (ACCEPTED, INTENT):
        raise SealError("unknown kind of record")
    return Record(
        raw=raw,
        kind=raw[0],
        type=_digits(raw, 1, 1),
        epoch=int.from_bytes(raw[2:4], "big"),
        sequence=int.from_bytes(raw[4:8], "big"),
        uid=raw[8:24],
        amount=int(_digits(raw, 24, 6)),
        currency=_digits(raw, 30, 2),
        stan=_digits(raw, 32, 3),
        batch=_digits(raw, 35, 3),
        counter=int.from_bytes(raw[38:42], "big"),
        entry_mode=_digits(raw, 42, 1),
        operator=_digits(raw, 43, 1),
        taken_at=int.from_bytes(raw[44:48], "big"),
        first6=_digits(raw, 48, 3),
        last4=_digits(raw, 51, 2),
        flags=raw[53],
        previous_tag=raw[56:64],
    )


def recomputed_tag(record: Record, keys: KeyStore, ikid: bytes) -> bytes:
    """The seal tag this record should carry: CMAC under the MAC key (2002) of its body's KSN. Raises SealError."""
    key = _key(record, keys, ikid, dukpt.MAC_BOTH_WAYS)
    return mac.tag(key, record.raw[:_TAGGED])


def sealed_under(record: Record, keys: KeyStore, ikids: Sequence[bytes]) -> bytes:
    """The initial key id under which a record's seal tag holds; the first of `ikids` if it holds under none."""
    for ikid in ikids if len(ikids) > 1 else ():
        with contextlib.suppress(SealError):
            if holds(record, recomputed_tag(record, keys, ikid)):
                return ikid
    return ikids[0]


def holds(record: Record, recomputed: bytes) -> bool:
    """Whether the record carries the correct seal tag; constant-time comparison."""
    return hmac.compare_digest(record.seal_tag, recomputed)


def open_body(record: Record, keys: KeyStore, ikid: bytes) -> dict[str, bytes]:
    """Decrypt the body under the data key (3000) of its KSN: EMV tag (upper-case hex) -> value.

    The first block is the nonce. Encrypted under the same key, it is the IV of the data (NIST SP 800-38A, appendix C).
    Raises SealError if the result is not TLV.
    """
    key = _key(record, keys, ikid, dukpt.DATA_ENCRYPT)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    return read_tlv(decryptor.update(record.raw[_HEADER:_TAGGED])[_NONCE:])


def read_tlv(data: bytes) -> dict[str, bytes]:
    """Parse flat BER-TLV with zero padding at the end (EMV Book 3, annex B). Raises SealError for anything else."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(data) and data[at]:
        start = at
        at += 1
        if data[start] & 0x1F == 0x1F:
            while at < len(data) and data[at] & 0x80:
                at += 1
            at += 1
        name = data[start:at].hex().upper()
        size = data[at] if at < len(data) else 0xFF
        at += 1
        if size == 0x81 and at < len(data):
            size, at = data[at], at + 1
        elif size > 0x7F:
            raise SealError("invalid length in the body")
        if at + size > len(data) or name in found:
            raise SealError("the body has a truncated or duplicate tag")
        found[name] = data[at : at + size]
        at += size
    if any(data[at:]):
        raise SealError("the body's padding is not zero")
    return found


def _key(record: Record, keys: KeyStore, ikid: bytes, usage: int) -> bytes:
    """A working key of the body's KSN. Raises SealError."""
    if not dukpt.is_counter(record.counter):
        raise SealError("invalid transaction counter of the body")
    try:
        return keys.working_key(ikid + record.counter.to_bytes(4, "big"), usage)
    except KeyMissing as error:
        raise SealError(str(error)) from None


def _digits(raw: bytes, at: int, size: int) -> str:
    text = raw[at : at + size].hex()
    if not text.isdecimal():
        raise SealError("a BCD field contains non-digits")
    return text
