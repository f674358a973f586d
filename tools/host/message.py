# SPDX-License-Identifier: MIT
"""A request as the host works with it: decoded, its elements checked against its row of the table in docs/wire.md."""

import hashlib
import hmac
from dataclasses import dataclass

from tools import mac
from tools.host import codec, dukpt, seal
from tools.host.errors import FrameError, SealError

SALE, VOID, DEFERRED_SALE, CASH, VOID_ENTRY, OFFLINE_SALE = "22", "23", "70", "71", "72", "73"
REQUEST, REVERSAL, MANAGEMENT = "request", "reversal", "management"

_PAYMENT = {3, 4, 11, 22, 25, 41, 42, 49, 53, 60, 62, 63, 64}
_ROWS = {
    "0200": (REQUEST, _PAYMENT, {SALE, VOID, DEFERRED_SALE}, "000"),
    "0220": (REQUEST, _PAYMENT, {CASH, VOID_ENTRY, OFFLINE_SALE}, "000"),
    "0400": (REVERSAL, _PAYMENT | {39, 61}, {SALE, VOID, DEFERRED_SALE, CASH}, "000"),
    "0500": (MANAGEMENT, {11, 41, 42, 48, 49, 53, 60, 63, 64}, {"00"}, "201"),
    "0800": (MANAGEMENT, {11, 41, 42, 53, 60, 62, 63, 64}, {"00"}, "900"),
}
_ABOUT_ANOTHER = {VOID}  # DE 61 names a payment
_RECORD_VERSION = 1
_HANDSHAKE_SIZE = 15
_UID = slice(3, 19)
_KSN_ELEMENT = 13


@dataclass(frozen=True, slots=True)
class Message:
    """One request. `frame` starts with the TPDU; `type` is 60.1; `body` is DE 62; `record` what it carries, if any."""

    frame: bytes
    fields: dict[str, str]
    mti: str
    group: str
    terminal: str
    merchant: str
    stan: str
    type: str
    batch: str
    uid: bytes
    ksn: bytes
    body: bytes
    record: seal.Record | None

    @property
    def counter(self) -> int:
        """Transaction counter of the message's KSN."""
        return int.from_bytes(self.ksn[8:], "big")

    @property
    def key(self) -> tuple[str, bytes]:
        """Names a payment: a uid is its terminal's own."""
        return self.terminal, self.uid

    @property
    def is_payment(self) -> bool:
        return self.group == REQUEST

    def content_hash(self) -> str:
        """SHA-256 over the frame without its envelope: TPDU, DE 53, DE 64 and the header's status nibble."""
        later = [self.fields[name] for name in ("60", "61", "62", "63") if name in self.fields]
        behind = sum(2 + (len(value) + 1) // 2 for value in later)
        end = len(self.frame) - 8
        content = bytearray(self.frame[5 : end - behind - _KSN_ELEMENT] + self.frame[end - behind : end])
        content[2] &= 0x0F
        return hashlib.sha256(content).hexdigest()

    def mac_holds(self, bdk: bytes) -> bool:
        """Whether DE 64 verifies under the MAC key (2000) of the message's KSN; compared in constant time."""
        key = dukpt.working_key(bdk, self.ksn, dukpt.MAC_GENERATE)
        return hmac.compare_digest(mac.tag(key, self.frame[5:-8]), self.frame[-8:])


def read(frame: bytes) -> Message:
    """Decode a frame (without its 2-byte length). Raises FrameError for anything docs/wire.md does not know."""
    fields = codec.decode(frame)
    mti = fields["t"]
    if mti not in _ROWS:
        raise FrameError("a message type we do not take")
    group, elements, types, network = _ROWS[mti]
    form = fields.get("60", "")
    if group == REQUEST and form[:2] in _ABOUT_ANOTHER:
        elements = elements | {61}
    if {int(name) for name in fields if name.isdecimal()} != elements:
        raise FrameError("data elements missing or too many")
    if len(form) != (11 if group == MANAGEMENT else 14) or form[:2] not in types or form[8:11] != network:
        raise FrameError("DE 60 does not fit the message type")
    private = bytes.fromhex(fields["63"])
    ksn = bytes.fromhex(fields["53"])
    if len(private) != 19 or len(ksn) != 12 or not dukpt.is_counter(int.from_bytes(ksn[8:], "big")):
        raise FrameError("DE 53 or DE 63 has not its form")
    body = bytes.fromhex(fields.get("62", ""))
    return Message(
        frame=frame,
        fields=fields,
        mti=mti,
        group=group,
        terminal=fields["41"],
        merchant=fields["42"],
        stan=fields["11"],
        type=form[:2],
        batch=form[2:8],
        uid=private[_UID],
        ksn=ksn,
        body=body,
        record=_record(mti, body),
    )


def _record(mti: str, body: bytes) -> seal.Record | None:
    """The sealed record of DE 62; None where the message carries none, or one so damaged that it cannot be read."""
    if mti == "0500":
        return None
    if mti == "0800":
        if len(body) != _HANDSHAKE_SIZE or body[0] != 1:
            raise FrameError("DE 62 is no handshake")
        return None
    if not body or body[0] != _RECORD_VERSION:
        raise FrameError("DE 62 has a version we do not know")
    try:
        return seal.parse(body[1:])
    except SealError:
        return None
