# SPDX-License-Identifier: MIT
"""Keys and signatures on WeChat Pay's side, and those that it gave a merchant. SHA-256 with RSA; AES-256-GCM."""

import base64
import datetime
import hashlib
import re
import secrets
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_SCHEME = "WECHATPAY2-SHA256-RSA2048"
_SKEW = 300  # seconds
_PARTS = re.compile(r'([a-z_]+)="([^"]*)"')


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    """As the merchant has it in apiclient_key.pem."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip


@dataclass
class Merchant:
    """A merchant, or a service provider with the shop `sub_merchant`."""

    key: rsa.RSAPrivateKey = field(default_factory=rsa_key, repr=False)
    number: str = "1900000001"
    app: str = "wx8888888888888888"
    serial: str = "444F4864EA9B34415F7B1E0C0D5A2F3B6C7D8E9F"
    api_key: str = "a12d3924fd499edac8a5efc1b2c3d4e5"
    sub_merchant: str = ""
    sub_app: str = ""


@dataclass
class Platform:
    """WeChat Pay's own key. With `public_id` merchants know it by that; without, by its certificate."""

    key: rsa.RSAPrivateKey = field(default_factory=rsa_key, repr=False)
    public_id: str = "PUB_KEY_ID_0119000000012026"

    def __post_init__(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tenpay.com sign")])
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        self.certificate = builder.not_valid_after(now + datetime.timedelta(days=9)).sign(self.key, hashes.SHA256())

    @property
    def serial(self) -> str:
        return self.public_id or f"{self.certificate.serial_number:X}"

    def headers(self, body: bytes, at: int) -> dict[str, str]:
        """The headers of an answer or notification signed at a time, in seconds."""
        nonce = secrets.token_hex(16)
        signed = self.key.sign(f"{at}\n{nonce}\n".encode() + body + b"\n", padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": str(at),
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": self.serial,
            "Wechatpay-Signature": base64.b64encode(signed).decode(),
            "Wechatpay-Signature-Type": _SCHEME,
        }

    def sealed_certificate(self, api_key: str) -> dict[str, object]:
        """The certificate as /v3/certificates lists it."""
        cert = self.certificate
        return {
            "serial_no": f"{cert.serial_number:X}",
            "effective_time": cert.not_valid_before_utc.isoformat(),
            "expire_time": cert.not_valid_after_utc.isoformat(),
            "encrypt_certificate": seal(cert.public_bytes(serialization.Encoding.PEM), api_key, "certificate"),
        }


def seal(plain: bytes, api_key: str, about: str) -> dict[str, str]:
    nonce = secrets.token_hex(6)
    sealed = AESGCM(api_key.encode()).encrypt(nonce.encode(), plain, about.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": about,
        "nonce": nonce,
    }


def is_by(merchant: Merchant, authorization: str, method: str, target: str, body: bytes, now: int) -> bool:
    """Whether a request is signed by a merchant, now (seconds). `target`: path and query."""
    scheme, _, rest = authorization.partition(" ")
    said = dict(_PARTS.findall(rest))
    if scheme != _SCHEME or said.get("mchid") != merchant.number or said.get("serial_no") != merchant.serial:
        return False
    if abs(int(said.get("timestamp", "0")) - now) > _SKEW:
        return False
    signed = f"{method}\n{target}\n{said['timestamp']}\n{said.get('nonce_str', '')}\n".encode() + body + b"\n"
    try:
        signature = base64.b64decode(said.get("signature", ""))
        merchant.key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
