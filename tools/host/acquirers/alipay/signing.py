# SPDX-License-Identifier: MIT
"""Signs what goes to Alipay and checks what comes back, with python-alipay-sdk: RSA2, public key or certificates.

The SDK's own HTTP is not used: it puts the customer's code into the address, follows redirects, and reads without end.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from alipay import AliPay, BaseAliPay, DCAliPay

from tools.host.acquirers.alipay.outcomes import plain
from tools.host.errors import ProviderFault

_SPACE = re.compile(r"[ \t\r\n]*")


class _Whole(BaseAliPay):
    """The SDK counts the braces inside texts too: a shop called "a}b" would never have a good signature."""

    def _get_string_to_be_signed(self, raw_string: str, response_type: str) -> str:
        """The value of `response_type` as it was sent, from its first to its last character. Raises ValueError."""
        read, at = json.JSONDecoder().raw_decode, raw_string.index("{") + 1
        while True:
            name, at = read(raw_string, _after_space(raw_string, at))
            begin = _after_space(raw_string, _expected(raw_string, at, ":"))
            _, at = read(raw_string, begin)
            if name == response_type:
                return raw_string[begin:at]
            at = _expected(raw_string, at, ",")

    def checked(self, raw: str, name: str) -> dict[str, Any]:
        """The node `name` of an answer whose signature is good; numbers as text. Raises whatever is wrong with it."""
        self._verify_and_return_sync_response(raw, name)
        node = json.loads(self._get_string_to_be_signed(raw, name), parse_float=str, parse_int=str)
        if not isinstance(node, dict):
            raise ValueError("no object")
        return node


class PublicKey(_Whole, AliPay):
    """The mode in which Alipay gives its public key."""


class Certificates(_Whole, DCAliPay):
    """The mode in which Alipay gives certificates: of the app, its own, and the roots."""


class Signing:
    """`sdk`: with the keys. `certificate`: in certificate mode, the number (alipay_cert_sn) of Alipay's certificate."""

    def __init__(self, sdk: PublicKey | Certificates, certificate: str = "") -> None:
        self._sdk, self._certificate = sdk, certificate

    def request(self, method: str, content: dict[str, str], timestamp: str) -> tuple[dict[str, str], dict[str, str]]:
        """A signed request: what goes into the address, and the form in its body, which has all of the order."""
        signed = dict(parse_qsl(self._sdk.client_api(method, content, timestamp=timestamp), strict_parsing=True))
        return signed, {"biz_content": signed.pop("biz_content")}

    def answer(self, raw: bytes, method: str) -> dict[str, Any]:
        """What an answer says. Raises ProviderFault, also for a wrong signature and for everything that is no answer."""
        try:
            text = raw.decode()
            whole = json.loads(text)
        except (ValueError, RecursionError):
            raise ProviderFault("Alipay's answer is no JSON") from None
        if not isinstance(whole, dict):
            raise ProviderFault("Alipay's answer is no JSON object")
        if self._certificate and whole.get("alipay_cert_sn") != self._certificate:
            said = plain(whole.get("alipay_cert_sn")) or "none"
            raise ProviderFault(f"signed with another certificate than alipay_certificate: {said}{_said(whole)}")
        try:
            return self._sdk.checked(text, method.replace(".", "_") + "_response")
        except Exception:  # of the SDK, whose messages quote the answer
            raise ProviderFault(f"no valid signature of Alipay{_said(whole)}") from None


def _said(whole: dict[str, Any]) -> str:
    """The code of an answer that cannot be believed, for whoever looks for the cause, such as a wrong key of the app."""
    for name, node in whole.items():
        if isinstance(name, str) and name.endswith("_response") and isinstance(node, dict):
            code, sub = plain(node.get("code")), plain(node.get("sub_code"))
            return f"; it says {code} {sub}".rstrip()
    return ""


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expected(text: str, at: int, sign: str) -> int:
    at = _after_space(text, at)
    if text[at : at + 1] != sign:
        raise ValueError("no JSON object")
    return at + 1
