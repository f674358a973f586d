# SPDX-License-Identifier: MIT
"""The SDK's way to WeChat Pay: one request, one answer, within limits. It stands where the SDK has its httpx.AsyncClient.

The SDK sets no limit to an answer's size, takes its proxies from the environment, writes each address into a log, and
checks the signature of successes only, and never the time in it. So requests go to httpx's transport itself.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping

import httpx

from tools.host.errors import ProviderFault

LIMIT = 10.0  # seconds for one request
LARGEST = 262_144  # bytes of an answer
LARGEST_BILL = 8 << 20  # bytes of a packed bill
SKEW = 300  # seconds; the limit in WeChat Pay's documentation of signatures
BILLS, _CERTIFICATES = "/v3/billdownload/", "/v3/certificates"
_SIGNATURE, _TIME = "Wechatpay-Signature", "Wechatpay-Timestamp"
_KEPT = ("Content-Type", _SIGNATURE, _TIME, "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature-Type")
_MOST_CONNECTIONS = 32

Verify = Callable[[Mapping[str, str], str], Awaitable[bool]]


class Line:
    """`context`: with the trust anchors. `verify`: the SDK's check of a signature, over headers and text; set by api.py.

    All calls raise ProviderFault, and httpx's errors.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.verify: Verify = _nobody

    async def get(self, url: str, headers: dict[str, str]) -> httpx.Response:
        return await self._send(httpx.Request("GET", url, headers=headers))

    async def post(self, url: str, headers: dict[str, str], content: str) -> httpx.Response:
        return await self._send(httpx.Request("POST", url, headers=headers, content=content.encode()))

    async def close(self) -> None:
        """End its connections. Those of an event loop that has ended are gone with it."""
        transport, self._transport = self._transport, None
        if transport and self._loop is asyncio.get_running_loop():
            await transport.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {"timeout": httpx.Timeout(LIMIT).as_dict()}
        is_bill = request.url.path.startswith(BILLS)
        async with asyncio.timeout(LIMIT):
            answer = await self._ready().handle_async_request(request)
            try:
                body = await _read(answer, LARGEST_BILL if is_bill else LARGEST)
            finally:
                await answer.aclose()
        kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        whole = httpx.Response(answer.status_code, headers=kept, content=body)
        if not is_bill and request.url.path != _CERTIFICATES:  # these come sealed with the API key
            await self._check(whole)
        return whole

    def _ready(self) -> httpx.AsyncHTTPTransport:
        """The transport of this event loop: its connections are kept for the next request."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._loop is not loop:
            limits = httpx.Limits(max_connections=_MOST_CONNECTIONS, keepalive_expiry=20.0)
            self._transport = httpx.AsyncHTTPTransport(verify=self._context, limits=limits, trust_env=False)
            self._loop = loop
        return self._transport

    async def _check(self, answer: httpx.Response) -> None:
        """The time of an answer, and the signature of one that is no success; the SDK checks that of successes.

        Every answer to a request whose signature WeChat Pay accepts is signed ("Signatures", API v3). So a refusal
        without one is no refusal.
        """
        if _SIGNATURE not in answer.headers:
            raise ProviderFault(f"status {answer.status_code} without a signature{_code(answer)}")
        fresh(answer.headers)
        if not answer.is_success and not await self.verify(answer.headers, answer.text):
            raise ProviderFault("an answer with a wrong signature")


def fresh(headers: Mapping[str, str]) -> None:
    """Raises ProviderFault unless a signature's time is near ours: what is older may be an answer to somebody else."""
    signed_at = headers.get(_TIME, "")
    if not signed_at.isascii() or not signed_at.isdigit() or abs(int(signed_at[:12]) - int(time.time())) > SKEW:
        raise ProviderFault("an answer with a wrong time")


def _code(answer: httpx.Response) -> str:
    found = re.search(rb'"code" *: *"([A-Z_]{1,40})"', answer.content[:4096])
    return f": {found[1].decode()}" if found else ""


async def _read(answer: httpx.Response, most: int) -> bytes:
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProviderFault("an answer that is packed")
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > most:
            raise ProviderFault("an answer that is too long")
    return bytes(body)


async def _nobody(headers: Mapping[str, str], text: str) -> bool:
    return False
