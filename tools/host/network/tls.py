# SPDX-License-Identifier: MIT
"""TLS: the host's certificate, whom it lets in, and which certificates are revoked. Files are re-read when they change."""

import contextvars
import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from tools.host.errors import SetupError

REVOKED = "crl.pem"  # in the host's folder: the CA's list of revoked certificates (RFC 5280), PEM
_FILES = ("host.pem", "host.key.pem", "ca.pem", REVOKED)
FAULTS: contextvars.ContextVar[list[str]] = contextvars.ContextVar("faults")  # of the handshake that runs in a context


class _AlertFirst(ssl.SSLObject):
    """A TLS connection that refuses a certificate with an alert.

    asyncio drops a connection as soon as its handshake fails, with the alert still in the buffer, and the terminal cannot
    tell why. So the failure is first reported as "more data is needed", which makes asyncio send what there is. The
    terminal closes when it has read the alert; if it does not, the time limit of the handshake does.
    """

    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        if self._failure:
            raise self._failure
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as failure:
            self._failure = failure
            FAULTS.get([]).append(failure.verify_message)
            raise ssl.SSLWantReadError from failure


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, from its certificate. `ends`: when the certificate expires. `der`: the certificate."""

    terminal: str
    serial: int
    ends: datetime.datetime
    der: bytes = b""

    @classmethod
    def of(cls, certificate: dict[str, Any] | None, der: bytes = b"") -> "Peer":
        """Read what ssl says of a verified certificate. Its common name is the terminal id. Raises ValueError."""
        certificate = certificate or {}
        names = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
        if len(names) != 1:
            raise ValueError("the certificate names no terminal, or several")
        seconds = ssl.cert_time_to_seconds(certificate["notAfter"])
        ends = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        return cls(names[0], int(certificate["serialNumber"], 16), ends, der)


@dataclass(frozen=True, slots=True)
class Revocations:
    """The CA's list: serial numbers; when it was made, and when the next one is due."""

    serials: frozenset[int] = frozenset()
    made: datetime.datetime | None = None
    due: datetime.datetime | None = None

    def current(self, now: datetime.datetime) -> bool:
        """Whether the list is not overdue. An overdue one still holds, but OpenSSL would refuse everybody."""
        return self.made is not None and self.made <= now and (self.due is None or now < self.due)


def revocations(home: Path) -> Revocations:
    """Read HOME/crl.pem; nothing is revoked without it. Raises SetupError unless the CA of `home` signed it."""
    path = home / REVOKED
    if not path.exists():
        return Revocations()
    try:
        listed = x509.load_pem_x509_crl(path.read_bytes())
        key = x509.load_pem_x509_certificate((home / "ca.pem").read_bytes()).public_key()
        genuine = isinstance(key, ec.EllipticCurvePublicKey) and listed.is_signature_valid(key)
    except (OSError, ValueError, TypeError, InvalidSignature) as error:
        raise SetupError(f"{path} cannot be read: {error}") from None
    if not genuine:
        raise SetupError(f"{path} is not signed by the CA of ca.pem")
    return Revocations(frozenset(each.serial_number for each in listed), listed.last_update_utc, listed.next_update_utc)


def tls_context(home: Path, check_revoked: bool = False) -> ssl.SSLContext:
    """TLS 1.2 or later with the host's certificate; clients must have a certificate of the merchant's CA.

    `check_revoked`: refuse what HOME/crl.pem lists in the handshake, with an alert.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(home / "host.pem", home / "host.key.pem")
    context.load_verify_locations(home / "ca.pem")
    if check_revoked:
        context.load_verify_locations(home / REVOKED)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    context.verify_mode = ssl.CERT_REQUIRED
    context.sslobject_class = _AlertFirst
    return context


class Identity:
    """The host's TLS identity and its list of revoked certificates, as its folder holds them now."""

    def __init__(self, home: Path) -> None:
        """Raises SetupError, OSError or ssl.SSLError if a file cannot be used."""
        self._home = home
        self._seen: tuple[Any, ...] = ()
        self.revoked = Revocations()
        self.refresh()

    def refresh(self) -> bool:
        """Read the files again if one has changed. Returns whether one had. Raises as __init__; the old state then holds.

        A list that disappears, or is older than the one known, is refused in the same way.
        """
        now = datetime.datetime.now(datetime.UTC)
        seen = (*(_stamp(self._home / name) for name in _FILES), self.revoked.current(now))
        if seen == self._seen:
            return False
        self._seen = seen  # also if it cannot be used: said once
        revoked = revocations(self._home)
        if self.revoked.made and (revoked.made is None or revoked.made < self.revoked.made):
            raise SetupError(f"{self._home / REVOKED} is gone, or older than the list before: that one still holds")
        context = tls_context(self._home, revoked.current(now))
        mine = x509.load_pem_x509_certificate((self._home / "host.pem").read_bytes())
        self.context, self.revoked = context, revoked
        self.begins, self.ends = mine.not_valid_before_utc, mine.not_valid_after_utc
        self._seen = (*seen[:-1], revoked.current(now))
        return True


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino
