# SPDX-License-Identifier: MIT
"""TLS to the acquirer: its certificate is checked with the trust anchors that are set up, and ours is shown."""

import secrets
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tools.host.acquirers.section import Section


def context(section: Section) -> ssl.SSLContext:
    """From `trust`, `certificate` and `private_key`, names of secrets in PEM. Raises SetupError, which names the key."""
    trust, chain, key = section.secret("trust"), section.secret("certificate"), section.secret("private_key")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the certificate and its name
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if not x509.load_pem_x509_certificates(trust):
            raise ValueError
        made.load_verify_locations(cadata=trust.decode("ascii"))
    except (ValueError, ssl.SSLError):
        raise section.wrong("trust", "certificates in PEM are wanted") from None
    try:
        mine = x509.load_pem_x509_certificates(chain)[0].public_key()
        public = mine.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, IndexError, UnsupportedAlgorithm):
        raise section.wrong("certificate", "a certificate in PEM is wanted") from None
    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise section.wrong("private_key", "a private key in PEM without a passphrase is wanted") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise section.wrong("private_key", "an EC or RSA key is wanted")
    if private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public:
        raise section.wrong("private_key", "it is not that of the certificate")
    _load(made, chain, private)
    return made


def _load(made: ssl.SSLContext, chain: bytes, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    """Python's ssl reads keys from files only: the key is in one for a moment, under a password of that moment."""
    password = secrets.token_hex(32)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    with tempfile.TemporaryDirectory(prefix="kassa-") as folder:  # of this account only
        path = Path(folder) / "identity.pem"
        path.write_bytes(chain.rstrip() + b"\n" + sealed)
        made.load_cert_chain(path, password=password)
