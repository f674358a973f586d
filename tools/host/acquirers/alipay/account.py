# SPDX-License-Identifier: MIT
"""A merchant's account at Alipay, from its table in acquirers.toml. Keys of the wrong kind are found here, at the start.

app_id, private_key           the app and its own key (RSA, 2048 bits or more; PEM, or the base64 of Alipay's tool)
alipay_public_key             public key mode: Alipay's key, not the app's
app_certificate, alipay_certificate, alipay_root_certificates   certificate mode: the three files of Alipay's console
sandbox, gateway, bills, trust, subject, product, shown_product   see docs/wallets-alipay.md
"""

import base64
import binascii
import ssl

import httpx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from tools.host.acquirers.alipay.gateway import Gateway
from tools.host.acquirers.alipay.provider import Alipay
from tools.host.acquirers.alipay.signing import Certificates, PublicKey, Signing
from tools.host.acquirers.section import Section

GATEWAY = "https://openapi.alipay.com/gateway.do", "https://openapi-sandbox.dl.alipaydev.com/gateway.do"
BILLS = "https://dwbillcenter.alipay.com", "https://dwbillcenter.alipaydev.com"
_BITS = 2048
_NO_KEY = (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error)
_CERTIFICATES = "app_certificate", "alipay_certificate", "alipay_root_certificates"
_SUBJECT = r"[^/=&\"\\\x00-\x1f]{1,64}"


def create(section: Section) -> Alipay:
    """The provider that a table describes. Raises SetupError, which names the key of acquirers.toml."""
    sandbox = section.yes("sandbox")
    url = section.url("gateway", GATEWAY[sandbox])
    bills = section.url("bills", BILLS[sandbox])
    signing = _signing(section)
    subject = section.text("subject", "Kassa", _SUBJECT, "1 to 64 characters without / = & and quotes")
    products = [section.text(key, "", "[A-Z_]{1,64}", "a product code") for key in ("product", "shown_product")]
    pay, precreate = ({"product_code": code} if code else {} for code in products)
    return Alipay(Gateway(signing, url, bills, _tls(section)), subject, pay, precreate)


def _signing(section: Section) -> Signing:
    app = section.text("app_id", form="[0-9]{10,32}", means="the number of an app, such as 2021000000000000,")
    key = _private_key(section, "private_key")
    own = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    in_certificates = any(section.text(name, "") for name in _CERTIFICATES)
    if section.text("alipay_public_key", ""):
        if in_certificates:
            raise section.wrong("alipay_public_key", "public key mode or certificate mode, not both")
        theirs = _public_key(section, "alipay_public_key")
        if theirs.public_numbers() == key.public_key().public_numbers():
            raise section.wrong("alipay_public_key", "this is the app's own public key, not Alipay's")
        pem = theirs.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return Signing(PublicKey(app, app_private_key_string=own, alipay_public_key_string=pem, sign_type="RSA2"))
    if not in_certificates:
        raise section.wrong(
            "alipay_public_key", "is missing (or, in certificate mode, " + ", ".join(_CERTIFICATES) + ")"
        )
    mine, theirs, roots = (_certificates(section, name) for name in _CERTIFICATES)
    if _key_of(section, _CERTIFICATES[0], mine[0]).public_numbers() != key.public_key().public_numbers():
        raise section.wrong(_CERTIFICATES[0], "is not the certificate of private_key")
    if _key_of(section, _CERTIFICATES[1], theirs[0]).public_numbers() == key.public_key().public_numbers():
        raise section.wrong(_CERTIFICATES[1], "this is the app's own certificate, not Alipay's")
    sdk = Certificates(app, own, _pem(mine[:1]), _pem(theirs[:1]), _pem(roots), sign_type="RSA2")
    if not (sdk.app_cert_sn and sdk.alipay_root_cert_sn):
        raise section.wrong(_CERTIFICATES[2], "there is no RSA certificate among them")
    return Signing(sdk, sdk.get_cert_sn(_pem(theirs[:1])))


def _private_key(section: Section, name: str) -> rsa.RSAPrivateKey:
    data = section.secret(name)
    try:
        key = load_pem_private_key(data, None) if b"-----" in data else load_der_private_key(_der(data), None)
    except _NO_KEY:
        raise section.wrong(name, "is no private key without a passphrase") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _BITS:
        raise section.wrong(name, f"an RSA key of {_BITS} bits or more is wanted")
    return key


def _public_key(section: Section, name: str) -> rsa.RSAPublicKey:
    data = section.secret(name)
    try:
        key = load_pem_public_key(data) if b"-----" in data else load_der_public_key(_der(data))
    except _NO_KEY:
        raise section.wrong(name, "is no public key") from None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _BITS:
        raise section.wrong(name, f"an RSA key of {_BITS} bits or more is wanted")
    return key


def _der(data: bytes) -> bytes:
    """The base64 that Alipay's key tool and console give, without the lines of PEM around it."""
    return base64.b64decode(b"".join(data.split()), validate=True)


def _certificates(section: Section, name: str) -> list[x509.Certificate]:
    data = section.secret(name)
    try:
        return x509.load_pem_x509_certificates(data)
    except _NO_KEY:
        raise section.wrong(name, "is no certificate (PEM)") from None


def _key_of(section: Section, name: str, certificate: x509.Certificate) -> rsa.RSAPublicKey:
    try:
        key = certificate.public_key()
    except _NO_KEY:
        key = None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _BITS:
        raise section.wrong(name, f"the certificate of an RSA key of {_BITS} bits or more is wanted")
    return key


def _pem(certificates: list[x509.Certificate]) -> str:
    """One after the other with an empty line between, as the SDK needs them to find more than the first."""
    return "\n".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)


def _tls(section: Section) -> ssl.SSLContext:
    """Whom TLS trusts: the certificates in the secret `trust`, or everybody whom browsers trust."""
    if not section.text("trust", ""):
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cadata=section.secret("trust").decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise section.wrong("trust", "certificates (PEM) are wanted") from None
