# SPDX-License-Identifier: MIT
"""A decoded request, checked against its row of the message table in docs/wire.md."""

import hashlib
import hmac
from dataclasses import dataclass

from tools.host.errors import FrameError, KeyMissing, SealError
from tools.host.keys import dukpt, mac, seal
from tools.host.keys.key_store import KeyStore
from tools.host.wire import codec, kinds

REQUEST, REVERSAL, UPLOAD, MANAGEMENT = "request", "reversal", "upload", "management"

_RECORD = {3, 4, 11, 22, 25, 41, 42, 49, 53, 60, 62, 63, 64}  # data elements of a message with a sealed record
_NAMED = {code for code, kind in kinds.KINDS.items() if kind.source == kinds.NAMED}  # DE 61 is required
_CAN_NAME = {kinds.QR_REFUND, kinds.CASH_REFUND}  # DE 61 is present if the payment is in the open batch
_REQUESTS = {code: kind.mti for code, kind in kinds.KINDS.items()}
_TOTALS = {11, 41, 42, 48, 49, 53, 60, 63, 64}
_FREE = {11, 41, 42, 53, 60, 62, 63, 64}
_MANAGEMENT = {
    ("0500", "201"): (MANAGEMENT, _TOTALS),
    ("0320", "202"): (UPLOAD, _TOTALS),
    ("0800", "900"): (MANAGEMENT, _FREE),
    ("0800", "360"): (MANAGEMENT, _FREE),
    ("0800", "370"): (MANAGEMENT, _FREE),
    ("0800", "380"): (MANAGEMENT, _FREE),
    ("0800", "390"): (MANAGEMENT, _FREE),
    ("0800", "400"): (MANAGEMENT, _FREE),
    ("0820", "362"): (MANAGEMENT, _FREE),
    ("0820", "363"): (MANAGEMENT, _FREE),
    ("0820", "364"): (MANAGEMENT, _FREE),
    ("0820", "901"): (MANAGEMENT, _FREE),
    ("0820", "301"): (MANAGEMENT, _FREE - {62}),
    ("0820", "002"): (MANAGEMENT, _FREE - {62}),
}  # by MTI and 60.3
PAID, NOT_PAID = "205", "206"  # 60.3 of an uploaded record
ALL_SENT = "901"  # 60.3 of the end of a restore
_RECORD_VERSION = 1
_BODIES = {
    "900": 15, "360": 7, "370": 7, "380": 7, "390": 7, "400": 7, "362": 11, "901": 11, "364": 17,
}  # bytes of DE 62 by 60.3  # fmt: skip
HANDSHAKE = "900"  # 60.3 of a handshake
_STAFF = "363"  # 60.3 of acts of staff
_WITH_ACTS = range(5, 5 + 17 * 12 + 1, 17)  # bytes of DE 62 of such a message: none to 12 acts
_WITH_NEWS = range(17, 34)  # bytes of DE 62 of a handshake that says how many payments wait, and the firmware's version
_UID = slice(3, 19)
_KSN_ELEMENT = 13


@dataclass(frozen=True, slots=True)
class Message:
    """One request. `frame` starts with the TPDU; `type` is 60.1; `body` is DE 62; `record` is its record, if any."""

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
        """The transaction counter of the message's KSN."""
        return int.from_bytes(self.ksn[8:], "big")

    @property
    def key(self) -> tuple[str, bytes]:
        """Identifies a payment. Uids are unique per terminal only."""
        return self.terminal, self.uid

    @property
    def is_payment(self) -> bool:
        return self.group == REQUEST

    def content_hash(self) -> str:
        """SHA-256 over the frame without TPDU, DE 53, DE 64 and the header's status nibble."""
        later = [self.fields[name] for name in ("60", "61", "62", "63") if name in self.fields]
        behind = sum(2 + (len(value) + 1) // 2 for value in later)
        end = len(self.frame) - 8
        content = bytearray(self.frame[5 : end - behind - _KSN_ELEMENT] + self.frame[end - behind : end])
        content[2] &= 0x0F
        return hashlib.sha256(content).hexdigest()

    def mac_holds(self, keys: KeyStore) -> bool:
        """Whether DE 64 verifies under the MAC key (2000) of the message's KSN; constant-time comparison."""
        try:
            key = keys.working_key(self.ksn, dukpt.MAC_GENERATE)
        except KeyMissing:
            return False
        return hmac.compare_digest(mac.tag(key, self.frame[5:-8]), self.frame[-8:])


def read(frame: bytes) -> Message:
    """Decode a frame (without its 2-byte length). Raises FrameError if it does not match docs/wire.md."""
    fields = codec.decode(frame)
    mti, form = fields["t"], fields.get("60", "")
    group, elements = _row(mti, form, "61" in fields)
    if {int(name) for name in fields if name.isdecimal()} != elements:
        raise FrameError("data elements missing or unexpected")
    private = bytes.fromhex(fields["63"])
    ksn = bytes.fromhex(fields["53"])
    if "48" in fields and len(fields["48"]) != (62 if mti == "0500" else 4):
        raise FrameError("DE 48 has another length")
    if len(private) != 19 or len(ksn) != 12 or not dukpt.is_counter(int.from_bytes(ksn[8:], "big")):
        raise FrameError("DE 53 or DE 63 is malformed")
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
        record=_record(group, body, form[8:11]),
    )


def _row(mti: str, form: str, names: bool) -> tuple[str, set[int]]:
    """The class and the data elements of a message, by MTI, DE 60 and whether DE 61 is present (`names`).

    Raises FrameError if no row of the table matches.
    """
    kind, network = form[:2], form[8:11]
    if len(form) == 11 and kind == "00" and (mti, network) in _MANAGEMENT:
        return _MANAGEMENT[mti, network]
    if len(form) == 14:
        if _REQUESTS.get(kind) == mti and network == "000":
            named = kind in _NAMED or names and kind in _CAN_NAME
            return REQUEST, _RECORD | ({61} if named else set())
        if mti == "0400" and kind in kinds.REVERSED and network == "000":
            return REVERSAL, _RECORD | {39, 61}
        if mti == "0320" and kind in kinds.RECORDS and network in (PAID, NOT_PAID):
            return UPLOAD, _RECORD | {61}
    raise FrameError("unknown message type, or DE 60 does not match it")


def _record(group: str, body: bytes, network: str) -> seal.Record | None:
    """The sealed record in DE 62. None if the message carries none, or if it is too damaged to parse."""
    if not body and network not in _BODIES and network != _STAFF:
        return None
    if group == MANAGEMENT:
        size = len(body)
        known = size == _BODIES.get(network) or network == HANDSHAKE and size in _WITH_NEWS
        if body[:1] != b"\x01" or not known and not (network == _STAFF and size in _WITH_ACTS):
            raise FrameError("DE 62 is malformed")
        return None
    if body[0] != _RECORD_VERSION:
        raise FrameError("DE 62 has an unknown version")
    try:
        return seal.parse(body[1:])
    except SealError:
        return None
