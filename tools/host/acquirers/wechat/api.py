# SPDX-License-Identifier: MIT
"""The SDK wechatpayv3 with one merchant's keys: each call gives a status and an object, or raises ProviderFault.

The SDK says every error by `Exception`; here each becomes a ProviderFault with the name of its type alone, since its text
may quote what was sent. It always asks api.mch.weixin.qq.com; the address is set from outside.
"""

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from wechatpayv3.async_ import AsyncWeChatPay, WeChatPayType

from tools.host.acquirers.wechat import codes
from tools.host.acquirers.wechat.line import Line, fresh
from tools.host.errors import ProviderFault

_NOTE = 65_536  # bytes of a notification


@dataclass(frozen=True, slots=True)
class Keys:
    """A merchant at WeChat Pay. `merchant`, `app`: mchid and appid, in partner mode those of the service provider.

    `sub_merchant`, `sub_app`: the shop's own in partner mode. `serial`: of the merchant's API certificate. `platform`:
    WeChat Pay's public key, with `platform_id`; without it its certificates are fetched.
    """

    merchant: str
    app: str
    serial: str
    private_key: RSAPrivateKey = field(repr=False)
    api_key: str = field(repr=False)
    platform: RSAPublicKey | None = None
    platform_id: str = ""
    sub_merchant: str = ""
    sub_app: str = ""
    notify_url: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer. `code`: of an error; "" if it has none. `data`: its JSON object; {} if it has no body."""

    status: int
    code: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return 200 <= self.status < 300

    def is_missing(self, names: frozenset[str]) -> bool:
        """Whether what was asked about is not there."""
        return self.status == 404 and codes.plain(self.code) in names


class Api:
    """`url`: without a slash at its end."""

    def __init__(self, keys: Keys, url: str, line: Line) -> None:
        self.keys, self.url = keys, url
        self._line = line
        self._sdk: Any = AsyncWeChatPay(
            WeChatPayType.CODEPAY,
            keys.merchant,
            None,
            keys.serial,
            keys.app,
            keys.api_key,
            notify_url=keys.notify_url or None,
            partner_mode=bool(keys.sub_merchant),
        )
        core = self._sdk._core
        core._private_key = keys.private_key
        core._gate_way = url
        core._client = line
        if keys.platform is not None:
            core._public_key, core._public_key_id = keys.platform, keys.platform_id
        self._core = core
        line.verify = self._verify

    async def pay(self, kind: Any, **fields: Any) -> Said:
        """Ask for an order. `kind`: WeChatPayType.CODEPAY or NATIVE."""
        partner = {"sub_appid": self.keys.sub_app or None} if self.keys.sub_merchant else {}
        return await self._ask(self._sdk.pay(pay_type=kind, **fields, **partner, **self._sub()))

    async def query(self, number: str) -> Said:
        return await self._ask(self._sdk.query(out_trade_no=number, **self._sub()))

    async def close_order(self, number: str) -> Said:
        return await self._ask(self._sdk.close(number, **self._sub()))

    async def reverse(self, number: str) -> Said:
        partner = {"sub_appid": self.keys.sub_app or None} if self.keys.sub_merchant else {}
        return await self._ask(self._sdk.codepay_reverse(number, **partner, **self._sub()))

    async def refund(self, number: str, order: str, amount: Mapping[str, Any]) -> Said:
        return await self._ask(self._sdk.refund(number, dict(amount), out_trade_no=order, **self._sub()))

    async def query_refund(self, number: str) -> Said:
        return await self._ask(self._sdk.query_refund(number, **self._sub()))

    async def bill(self, day: str) -> Said:
        """Where the packed bill of a day (YYYY-MM-DD) is."""
        return await self._ask(self._sdk.trade_bill(day, **self._sub()))

    async def download(self, url: str) -> bytes:
        """A file at an address of WeChat Pay. It has no signature; its hash came with one."""
        status, body = await _guard(self._sdk.download_bill(url))
        if status != 200:
            raise ProviderFault(f"status {status} for a bill")
        return body.encode() if isinstance(body, str) else body

    def notice(self, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
        """The order or refund that a notification is about: its signature is checked, and it is opened with the API key.

        Everybody can send one: a key or certificate that is not known yet is not fetched for it.
        """
        if len(body) > _NOTE:
            raise ProviderFault("a notification that is too long")
        known = httpx.Headers(dict(headers))
        fresh(known)
        try:
            text = body.decode()
            opened = self._core.decrypt_callback(known, text)
        except Exception as fault:  # the SDK's, or of what was sent
            raise ProviderFault(f"no valid notification: {type(fault).__name__}") from None
        return _object(opened)

    async def close(self) -> None:
        await self._line.close()

    async def _verify(self, headers: Mapping[str, str], text: str) -> bool:
        return await self._core._verify_signature_async(headers, text) is True

    async def _ask(self, call: Awaitable[tuple[int, str | bytes]]) -> Said:
        status, body = await _guard(call)
        done = 200 <= status < 300
        data = _object(body) if body or not done else {}
        code = "" if done else data.get("code")
        if not isinstance(code, str):
            raise ProviderFault(f"status {status} without a code")
        return Said(status, code[:40], data)

    def _sub(self) -> dict[str, str]:
        return {"sub_mchid": self.keys.sub_merchant} if self.keys.sub_merchant else {}


async def _guard(call: Awaitable[Any]) -> Any:
    """What the SDK gives, and ProviderFault for whatever it raises."""
    try:
        return await call
    except ProviderFault:
        raise
    except TimeoutError:
        raise ProviderFault("no answer in time") from None
    except Exception as fault:
        raise ProviderFault(f"no valid answer: {type(fault).__name__}") from None


def _object(text: str | bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "")
    except (ValueError, RecursionError):
        raise ProviderFault("an answer that is not JSON") from None
    if not isinstance(found, dict):
        raise ProviderFault("an answer that is no object")
    return found
