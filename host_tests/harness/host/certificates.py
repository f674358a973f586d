# SPDX-License-Identifier: MIT
"""Certificates of every kind that a stranger may show, and lists of revoked ones, made with `cryptography`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def days(count: int) -> datetime.timedelta:
    return datetime.timedelta(days=count)


def make(
    folder: Path,
    name: str,
    ca: Any,
    *common: str,
    use: x509.ObjectIdentifier = CLIENT,
    starts: int = -1,
    ends: int = 365,
) -> x509.Certificate:
    """Write NAME.pem and NAME.key.pem, signed by `ca` (certificate, key). `starts`, `ends`: days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each) for each in common])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() + days(starts))
        .not_valid_after(now() + days(ends))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False)
    )
    certificate = builder.sign(ca.key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / f"{name}.key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate


def revoke(home: Path, ca: Any, *revoked: x509.Certificate, made: int = 0, due: int = 30) -> None:
    """Write HOME/crl.pem, all of it at once. `made`, `due`: days from now."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
    builder = builder.last_update(now() + days(made)).next_update(now() + days(due))
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = builder.add_extension(issuer, critical=False)
    for each in revoked:
        one = x509.RevokedCertificateBuilder().serial_number(each.serial_number).revocation_date(now() - days(60))
        builder = builder.add_revoked_certificate(one.build())
    (home / "crl.new").write_bytes(builder.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (home / "crl.new").rename(home / "crl.pem")
