# SPDX-License-Identifier: MIT
"""Certificates (RFC 5280): of the merchant's certification authority (CA), of the host, of each terminal.

All keys are EC P-256 (RFC 5480), small enough for a microcontroller's TLS handshake. Validity starts in the past,
because a terminal's clock cannot be trusted before its first contact with the host. The CA itself: authority.py.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.host import private_files
from tools.host.errors import SetupError

HOST_NAME = "kassa-host.test"
_BACK = datetime.timedelta(days=30)
_CA_LASTS = datetime.timedelta(days=10 * 365)
_HOST_LASTS = datetime.timedelta(days=365)
_TERMINAL_LASTS = datetime.timedelta(days=2 * 365)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_der(self) -> bytes:
        """The private key as SEC 1 ECPrivateKey, which every mbedTLS build can read."""
        return self.key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def save(self, folder: Path, name: str) -> None:
        """Write `name`.pem and `name`.key.pem, which only this account may read."""
        private_files.folder(folder)
        private_files.write(folder / f"{name}.key.pem", self.key_pem)
        private_files.write(folder / f"{name}.pem", self.certificate_pem)

    @classmethod
    def load(cls, folder: Path, name: str) -> "Identity":
        """Read the files that `save` wrote.

        Raises OSError if one is missing, ValueError if it holds no EC key, SetupError if others may read the key.
        """
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
        return cls(certificate, _ec_key(folder / f"{name}.key.pem"))


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new private key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def authority(merchant: str) -> Identity:
    """Create a new certification authority for a merchant. It lasts ten years."""
    key = new_key()
    name = _name(f"{merchant} CA")
    builder = _builder(name, name, key.public_key(), _ends(_CA_LASTS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Identity(builder.sign(key, hashes.SHA256()), key)


def host_certificate(ca: Identity, host_name: str, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
    """Sign a server certificate for the settlement host. It lasts a year."""
    names = x509.SubjectAlternativeName([x509.DNSName(host_name)])
    return _sign(ca, host_name, key, ExtendedKeyUsageOID.SERVER_AUTH, names, _HOST_LASTS)


def terminal_certificate(ca: Identity, terminal_id: str, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
    """Sign a client certificate for one terminal. Its common name is the terminal id. It lasts two years."""
    return _sign(ca, terminal_id, key, ExtendedKeyUsageOID.CLIENT_AUTH, None, _TERMINAL_LASTS)


def host_identity(ca: Identity, host_name: str = HOST_NAME) -> Identity:
    """A server certificate with a new key."""
    key = new_key()
    return Identity(host_certificate(ca, host_name, key.public_key()), key)


def terminal_identity(ca: Identity, terminal_id: str) -> Identity:
    """A client certificate with a new key."""
    key = new_key()
    return Identity(terminal_certificate(ca, terminal_id, key.public_key()), key)


def ensure(home: Path, merchant: str = "Kassa test merchant", host_name: str = HOST_NAME) -> Identity:
    """For tests, the demo and the panel only: a host's certificates, with the CA's key, in clear, beside it in HOME/ca.

    Creates what is missing. Returns the CA, to sign terminal certificates with. Raises SetupError if the host's
    certificates are of a CA that is elsewhere.
    """
    folder = home / "ca"
    if not (folder / "ca.key.pem").exists():
        if (home / "ca.key.pem").exists():  # where earlier versions kept it
            Identity.load(home, "ca").save(folder, "ca")
            (home / "ca.key.pem").unlink()
        elif (home / "ca.pem").exists():
            raise SetupError(f"the CA of {home} is not in {folder}: it is offline")
        else:
            authority(merchant).save(folder, "ca")
    ca = Identity.load(folder, "ca")
    private_files.write(home / "ca.pem", ca.certificate_pem)
    if not (home / "host.key.pem").exists():
        host_identity(ca, host_name).save(home, "host")
    return ca


def host_key(home: Path) -> ec.EllipticCurvePrivateKey:
    """The host's private key in HOME/host.key.pem; made if it is missing. Raises OSError, ValueError, SetupError."""
    path = home / "host.key.pem"
    if not path.exists():
        private_files.folder(home)
        made = new_key()
        private_files.write(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made
    return _ec_key(path)


def signing_request(key: ec.EllipticCurvePrivateKey, name: str) -> bytes:
    """A certificate signing request (PKCS #10), PEM."""
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(name)).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM)


def revocation_list(
    ca: Identity, number: int, revoked: Iterable[tuple[int, datetime.datetime]], now: datetime.datetime
) -> bytes:
    """A CRL (RFC 5280, 5), PEM. `revoked`: serial numbers, and since when (UTC).

    It names no earlier next update than the CA's end: a list that was not renewed in time would shut out every terminal.
    """
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(now - _BACK)
        .next_update(ca.certificate.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(issuer, critical=False)
    )
    for serial, since in revoked:
        row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(row)
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _sign(
    ca: Identity,
    name: str,
    key: ec.EllipticCurvePublicKey,
    purpose: x509.ObjectIdentifier,
    names: x509.SubjectAlternativeName | None,
    lasts: datetime.timedelta,
) -> x509.Certificate:
    ends = min(_ends(lasts), ca.certificate.not_valid_after_utc)
    builder = _builder(_name(name), ca.certificate.subject, key, ends)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = builder.add_extension(issuer, critical=False)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return builder.sign(ca.key, hashes.SHA256())


def _ec_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(private_files.read_secret(path), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no EC key")
    return key


def _ends(lasts: datetime.timedelta) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + lasts


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime.now(datetime.UTC) - _BACK)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
