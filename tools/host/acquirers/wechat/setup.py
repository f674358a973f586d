# SPDX-License-Identifier: MIT
"""Reads a [[wallet]] of kind wechat. docs/wallets-wechat.md says where each value comes from."""

import ssl
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from tools.host.acquirers.section import Section
from tools.host.acquirers.wechat.api import Api, Keys
from tools.host.acquirers.wechat.line import Line
from tools.host.acquirers.wechat.provider import Shop, WeChatPay

URL = "https://api.mch.weixin.qq.com"
_BITS = 2048
_KEY = 32  # bytes
_MERCHANT = "[0-9]{8,12}"
_APP = "[0-9A-Za-z_-]{6,32}"


def create(section: Section) -> WeChatPay:
    """The provider of one merchant. Raises SetupError, which names the key that is wrong."""
    url = section.url("url", URL)
    if urlsplit(url).path or urlsplit(url).query:
        raise section.wrong("url", "an address without a path is wanted")
    shows = section.yes("shows", True)
    sub_merchant = section.text("sub_merchant", "", _MERCHANT, "a merchant number of WeChat Pay")
    platform_id = section.text("public_key_id", "", "PUB_KEY_ID_[0-9A-Za-z]{1,64}", "an id with PUB_KEY_ID_")
    keys = Keys(
        merchant=section.text("merchant", form=_MERCHANT, means="a merchant number of WeChat Pay"),
        app=section.text("app_id", form=_APP, means="an app id"),
        serial=section.text("serial", form="[0-9A-Fa-f]{8,40}", means="a certificate's serial number in hex"),
        private_key=_private(section),
        api_key=_api_key(section),
        platform=_public(section) if platform_id else None,
        platform_id=platform_id,
        sub_merchant=sub_merchant,
        sub_app=section.text("sub_app_id", "", _APP, "an app id") if sub_merchant else "",
        notify_url=_notify_url(section, shows),
    )
    shop = Shop(
        section.text("store", form="[ -~]{1,32}", means="up to 32 characters of ASCII"),
        section.text("description", "商品", ".{1,42}", "up to 42 characters"),
    )
    return WeChatPay(Api(keys, url, Line(_trust(section, url))), shop)


def _private(section: Section) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(section.secret("private_key"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise section.wrong("private_key", "the secret is no private key in PEM without a password") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _BITS:
        raise section.wrong("private_key", f"an RSA key of {_BITS} bits or more is wanted")
    return key


def _public(section: Section) -> RSAPublicKey:
    try:
        key = load_pem_public_key(section.secret("public_key"))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise section.wrong("public_key", "the secret is no public key in PEM") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _BITS:
        raise section.wrong("public_key", f"an RSA key of {_BITS} bits or more is wanted")
    return key


def _api_key(section: Section) -> str:
    key = section.secret("api_v3_key")
    if len(key) != _KEY or not key.isalnum():
        raise section.wrong("api_v3_key", f"the secret is not {_KEY} letters and digits")
    return key.decode("ascii")


def _notify_url(section: Section, shows: bool) -> str:
    """WeChat Pay wants one for every code that is shown."""
    url = section.text("notify_url", "", "https://[^?#]+", "an address with https:// and without ?")
    if shows and not url:
        raise section.wrong("notify_url", "is missing; without one, shows = false is wanted")
    return url


def _trust(section: Section, url: str) -> ssl.SSLContext:
    """The system's trust anchors, or those of a PEM file alone; none where there is no TLS, on loopback."""
    path = section.text("trust", "")
    if not path and not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=path or None)
    except (OSError, ValueError):
        raise section.wrong("trust", "a file of certificates in PEM is wanted") from None
