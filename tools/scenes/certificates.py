# SPDX-License-Identifier: MIT
"""Certificates for the shop of the scenes: their dates are fixed, because a screen shows one."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.host.keys import pki

_BEGINS = datetime.datetime(2026, 1, 1)
_ENDS = datetime.datetime(2046, 1, 1)  # the host judges them by the computer's clock, the terminal by its own


def make(host_home: Path, terminal_id: str) -> pki.Identity:
    """Write those of the CA and of the host into `host_home`, where pki.ensure finds them. Returns the terminal's."""
    ca = _sign(None, "Kassa test merchant CA")
    ca.save(host_home / "ca", "ca")
    names = x509.SubjectAlternativeName([x509.DNSName(pki.HOST_NAME)])
    _sign(ca, pki.HOST_NAME, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), names).save(host_home, "host")
    return _sign(ca, terminal_id, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))


def _sign(ca: pki.Identity | None, name: str, *extensions: x509.ExtensionType) -> pki.Identity:
    """A certificate with a new key; without a `ca`, its own signature."""
    key = pki.new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.certificate.subject if ca else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINS)
        .not_valid_after(_ENDS)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca is None, path_length=None if ca else 0), critical=True)
    )
    if ca:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return pki.Identity(builder.sign(ca.key if ca else key, hashes.SHA256()), key)
