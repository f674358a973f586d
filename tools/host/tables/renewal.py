# SPDX-License-Identifier: MIT
"""A new certificate for the key that a terminal has: offered by an operator, fetched by the terminal like a table.

Its version is the first 4 bytes of the SHA-256 of the certificate, so a terminal can name the one that it has.
"""

import datetime
import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from sqlalchemy import Connection, delete, select

from tools.host.books import double_entry
from tools.host.errors import SetupError
from tools.host.store.schema_keys import new_certificate as table
from tools.host.store.upsert import put
from tools.host.transactions import terminals

NETWORK, REQUEST = "400", 6  # 60.3 of the fetch; processing request in an answer's header
_MOST = 1024  # bytes that a terminal takes


def offer(
    db: Connection, certificate: x509.Certificate, ca: x509.Certificate, revoked: x509.CertificateRevocationList | None
) -> str:
    """Offer a certificate to the terminal that it names; returns the terminal id. `ca`: the host's. `revoked`: its CRL.

    The terminal cannot check the signature, so it is checked here. Raises SetupError.
    """
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    tid = str(names[0].value) if len(names) == 1 else ""
    if terminals.load(db, tid) is None:
        raise SetupError(f"the certificate is of {tid!r}, which is not registered here")
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        raise SetupError(f"the certificate of {tid} was not signed by this host's CA") from None
    now = datetime.datetime.now(datetime.UTC)
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise SetupError(f"the certificate of {tid} is not valid today")
    if revoked is not None and revoked.get_revoked_certificate_by_serial_number(certificate.serial_number):
        raise SetupError(f"the certificate of {tid} is revoked")
    der = certificate.public_bytes(Encoding.DER)
    if len(der) > _MOST:
        raise SetupError(f"the certificate of {tid} has {len(der)} bytes; a terminal takes {_MOST}")
    put(db, table, {"tid": tid, "der": der, "offered": double_entry.now()})
    double_entry.note(db, tid, "certificate offered", f"{certificate.serial_number:x}")
    return tid


def offered(db: Connection, tid: str) -> bytes:
    """The certificate (DER) that waits for a terminal; empty if there is none."""
    return db.execute(select(table.c.der).where(table.c.tid == tid)).scalar_one_or_none() or b""


def withdraw(db: Connection, tid: str) -> None:
    """Offer nothing to a terminal any more."""
    db.execute(delete(table).where(table.c.tid == tid))


def fetched(db: Connection, tid: str, have: int) -> tuple[int, bytes]:
    """Version and data for a terminal that has version `have`. If it has what is offered, the offer is over."""
    der = offered(db, tid)
    if der and version(der) == have:
        withdraw(db, tid)
        double_entry.note(db, tid, "certificate renewed", f"{version(der):08x}")
        return have, b""
    return version(der), der


def version(der: bytes) -> int:
    return int.from_bytes(hashlib.sha256(der).digest()[:4], "big")
