# SPDX-License-Identifier: MIT
"""The merchant's certification authority (CA), in a folder of its own on a machine that is not the host.

The folder holds ca.pem, ca.key.sealed (sealed_file.py), issued.json, issued/SERIAL.pem and crl.pem. The host gets copies
of ca.pem, crl.pem and its own certificate, and never the key.
"""

import datetime
import fcntl
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_public_key,
)

from tools.host import private_files
from tools.host.errors import SetupError
from tools.host.keys import passphrase, pki, sealed_file
from tools.host.keys.pki import Identity

KEY = "ca.key.sealed"
HOST, TERMINAL = "host", "terminal"
_SPKI = PublicFormat.SubjectPublicKeyInfo
_TERMINAL_ID = re.compile("[0-9A-Za-z]{8}")
_HOST_NAME = re.compile(r"[0-9a-z]([0-9a-z.-]{0,251}[0-9a-z])?")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was signed. `serial`: hex. `kind`: HOST or TERMINAL. Dates: ISO 8601, UTC; `revoked` None: valid."""

    serial: str
    kind: str
    name: str
    ends: str
    revoked: str | None = None


class Authority:
    """A CA whose key is open. `create` or `open` one."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.folder = folder
        self.identity = identity

    @classmethod
    def create(cls, folder: Path, identity: Identity, secret: str) -> "Authority":
        """Put a CA into an empty folder, its key sealed under a passphrase. Raises SetupError."""
        if any((folder / name).exists() for name in ("ca.pem", KEY)):
            raise SetupError(f"{folder} has a CA already")
        private_files.folder(folder)
        sealed_file.write(folder / KEY, identity.key_der, secret)
        private_files.write(folder / "ca.pem", identity.certificate_pem)
        made = cls(folder, identity)
        made._write([], 1)
        return made

    @classmethod
    def open(cls, folder: Path, ask: Callable[[], str] = lambda: passphrase.find(passphrase.CA)) -> "Authority":
        """Open a CA. `ask` gives its passphrase. Raises SetupError."""
        try:
            if not (folder / KEY).exists() and (folder / "ca.key.pem").exists():
                return cls(folder, Identity.load(folder, "ca"))  # of tests and the demo, see pki.ensure
            certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
            key = load_der_private_key(sealed_file.read(folder / KEY, ask()), password=None)
        except FileNotFoundError:
            raise SetupError(f"{folder} has no CA: kassa-host ca init makes one") from None
        except (OSError, ValueError) as error:
            raise SetupError(f"{folder}: {error}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise SetupError(f"{folder}: certificate and key of the CA do not belong together")
        return cls(folder, Identity(certificate, key))

    def host(self, name: str, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """Sign the host's certificate. `name`: its DNS name. Raises SetupError."""
        if not _HOST_NAME.fullmatch(name):
            raise SetupError(f"{name!r} is not a DNS name in lower case")
        return self._note(HOST, name, pki.host_certificate(self.identity, name, key))

    def terminal(self, terminal_id: str, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """Sign a terminal's certificate. Raises SetupError."""
        if not _TERMINAL_ID.fullmatch(terminal_id):
            raise SetupError(f"{terminal_id!r} is not a terminal id of 8 letters and digits")
        return self._note(TERMINAL, terminal_id, pki.terminal_certificate(self.identity, terminal_id, key))

    def renew(self, terminal_id: str) -> x509.Certificate:
        """Sign a new certificate for the key of the terminal's newest one that is not revoked. Raises SetupError."""
        mine = [
            row for row in _read(self.folder)[0] if (row.kind, row.name) == (TERMINAL, terminal_id) and not row.revoked
        ]
        if not mine:
            raise SetupError(f"{terminal_id} has no certificate of this CA that could be renewed")
        try:
            old = x509.load_pem_x509_certificate((self.folder / "issued" / f"{mine[-1].serial}.pem").read_bytes())
        except (OSError, ValueError) as error:
            raise SetupError(f"{self.folder}: {error}") from None
        return self.terminal(terminal_id, public_key(old.public_key().public_bytes(Encoding.PEM, _SPKI)))

    def revoke(self, which: str) -> list[Issued]:
        """Revoke a certificate by its serial number (hex), or all those of a terminal or host by its name.

        Writes crl.pem, which takes effect once the host has it. Returns what was revoked now. Raises SetupError.
        """
        with self._alone():
            rows, number = self._read()
            named = [row for row in rows if which in (row.serial, row.name)]
            if not named:
                raise SetupError(f"no certificate has the serial number or name {which!r}")
            now = _now().isoformat()
            done = [replace(row, revoked=now) for row in named if row.revoked is None]
            changed = {row.serial: row for row in done}
            self._write([changed.get(row.serial, row) for row in rows], number + 1)
        return done

    def _note(self, kind: str, name: str, certificate: x509.Certificate) -> x509.Certificate:
        serial = f"{certificate.serial_number:x}"
        with self._alone():
            rows, number = self._read()
            private_files.folder(self.folder / "issued")
            private_files.write(self.folder / "issued" / f"{serial}.pem", certificate.public_bytes(Encoding.PEM))
            self._write([*rows, Issued(serial, kind, name, certificate.not_valid_after_utc.isoformat())], number)
        return certificate

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until nobody else changes the list: else one who signs could undo a revocation."""
        with open(private_files.touch(self.folder / ".lock"), "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _read(self) -> tuple[list[Issued], int]:
        return _read(self.folder)

    def _write(self, rows: list[Issued], number: int) -> None:
        """Store the list, and the CRL that follows from it."""
        content = {"crl": number, "issued": [asdict(row) for row in rows]}
        private_files.write(self.folder / "issued.json", json.dumps(content, indent=1).encode())
        revoked = [(int(row.serial, 16), datetime.datetime.fromisoformat(row.revoked)) for row in rows if row.revoked]
        private_files.write(self.folder / "crl.pem", pki.revocation_list(self.identity, number, revoked, _now()))


def listed(folder: Path) -> list[Issued]:
    """Every certificate that a CA has signed, the oldest first; needs no passphrase. Raises SetupError."""
    if not (folder / "ca.pem").exists():
        raise SetupError(f"{folder} has no CA")
    return _read(folder)[0]


def ending(folder: Path, days: int) -> list[str]:
    """The terminals whose newest certificate that is not revoked ends within so many days. Raises SetupError."""
    newest = {row.name: row for row in listed(folder) if row.kind == TERMINAL and not row.revoked}
    limit = _now() + datetime.timedelta(days=days)
    return sorted(name for name, row in newest.items() if datetime.datetime.fromisoformat(row.ends) <= limit)


def _read(folder: Path) -> tuple[list[Issued], int]:
    """What was signed, and the number of the CRL."""
    path = folder / "issued.json"
    try:
        if not path.exists():
            return [], 1
        content = json.loads(path.read_text())
        return [Issued(**row) for row in content["issued"]], int(content["crl"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(f"{path}: {error}") from None


def public_key(data: bytes) -> ec.EllipticCurvePublicKey:
    """The key in a signing request or public key, PEM. Raises SetupError: another curve, a false signature, not PEM."""
    try:
        if b"REQUEST" in data:
            request = x509.load_pem_x509_csr(data)
            if not request.is_signature_valid:
                raise SetupError("the signing request is not signed by its own key")
            key = request.public_key()
        else:
            key = load_pem_public_key(data)
    except ValueError:
        raise SetupError("neither a signing request nor a public key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise SetupError("the key must be on the curve P-256")
    return key


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
