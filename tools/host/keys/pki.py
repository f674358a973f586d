# SPDX-License-Identifier: MIT
"""The merchant's certification authority (CA): signs one certificate for the host and one for each terminal.

All keys are EC P-256 (RFC 5480), small enough for a microcontroller's TLS handshake. Validity starts in the past and
lasts long, because a terminal's clock cannot be trusted before its first contact with the host.
"""

import datetime
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST_NAME = "kassa-host.test"
_BACK = datetime.timedelta(days=30)
_LASTS = datetime.timedelta(days=20 * 365)


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
        """Write `name`.pem and `name`.key.pem. Only the owner may read the key file."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.pem").write_bytes(self.certificate_pem)
        handle = os.open(folder / f"{name}.key.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(self.key_pem)

    @classmethod
    def load(cls, folder: Path, name: str) -> "Identity":
        """Read the files that `save` wrote. Raises OSError if one is missing, ValueError if it holds no EC key."""
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
        key = load_pem_private_key((folder / f"{name}.key.pem").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not an EC key")
        return cls(certificate, key)


def authority(merchant: str) -> Identity:
    """Create a new certification authority for a merchant."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"{merchant} CA")
    builder = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Identity(builder.sign(key, hashes.SHA256()), key)


def host_identity(ca: Identity, host_name: str = HOST_NAME) -> Identity:
    """Issue a server certificate for the settlement host."""
    names = x509.SubjectAlternativeName([x509.DNSName(host_name)])
    return _sign(ca, host_name, ExtendedKeyUsageOID.SERVER_AUTH, names)


def terminal_identity(ca: Identity, terminal_id: str) -> Identity:
    """Issue a client certificate for one terminal. Its common name is the terminal id."""
    return _sign(ca, terminal_id, ExtendedKeyUsageOID.CLIENT_AUTH, None)


def ensure(home: Path, merchant: str = "Kassa test merchant", host_name: str = HOST_NAME) -> Identity:
    """Create identities `ca` and `host` in `home` if missing. Returns the CA, to sign terminal certificates with."""
    if not (home / "ca.key.pem").exists():
        authority(merchant).save(home, "ca")
    ca = Identity.load(home, "ca")
    if not (home / "host.key.pem").exists():
        host_identity(ca, host_name).save(home, "host")
    return ca


def _sign(
    ca: Identity, name: str, purpose: x509.ObjectIdentifier, names: x509.SubjectAlternativeName | None
) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(name), ca.certificate.subject, key)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = builder.add_extension(issuer, critical=False)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return Identity(builder.sign(ca.key, hashes.SHA256()), key)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    start = datetime.datetime.now(datetime.UTC) - _BACK
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LASTS)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
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
