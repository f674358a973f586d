# SPDX-License-Identifier: MIT
"""Alipay's gateway over HTTPS: one signed form to one address, one signed answer. Bounded, and no redirect is followed."""

import asyncio
import datetime
import logging
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from tools.host.acquirers import orders
from tools.host.acquirers.alipay.signing import Signing
from tools.host.errors import ProviderFault

ANSWER, BILL = 256 << 10, 8 << 20  # bytes of an answer, and of a bill as it is sent
_BEIJING = datetime.timezone(datetime.timedelta(hours=8))
_SECONDS = 10.0  # for each step of a call; the call as a whole is limited by provider.py

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs addresses, signatures included


class Gateway:
    """`url`: the gateway's address. `bills`: where bills are fetched, the only place. `tls`: whom it trusts."""

    def __init__(self, signing: Signing, url: str, bills: str, tls: ssl.SSLContext) -> None:
        self._signing, self._url, self._bills, self._tls = signing, url, bills, tls
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, method: str, content: dict[str, str]) -> dict[str, Any]:
        """Call `method` (alipay.trade.pay, ...) and return its node of the answer. Raises ProviderFault."""
        at = datetime.datetime.fromtimestamp(orders.now() / 1000, _BEIJING)
        address, form = self._signing.request(method, content, f"{at:%Y-%m-%d %H:%M:%S}")
        raw = await self._fetch("POST", self._url, ANSWER, address, form)
        return self._signing.answer(raw, method)

    async def download(self, url: object) -> bytes:
        """A bill, from the address that the gateway gave. Raises ProviderFault."""
        mine = urlsplit(self._bills)
        try:
            given = urlsplit(url if isinstance(url, str) else "")
            foreign = given.hostname != mine.hostname or given.port not in (None, mine.port)
        except ValueError:
            given, foreign = mine, True
        if foreign:
            raise ProviderFault("a bill at an address that is not the one in acquirers.toml (bills)")
        # The file is not signed, and the address is given with http://: it is fetched as acquirers.toml says.
        return await self._fetch("GET", urlunsplit((mine.scheme, mine.netloc, given.path, given.query, "")), BILL)

    async def close(self) -> None:
        """End its connections. Those of an event loop that has ended are gone with it."""
        client, self._client = self._client, None
        if client and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _fetch(
        self,
        verb: str,
        url: str,
        most: int,
        address: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> bytes:
        client = self._ready()
        body = bytearray()
        try:
            async with client.stream(verb, url, params=address, data=form) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise ProviderFault(f"Alipay answers HTTP {answer.status_code}")
                async for part in answer.aiter_raw():  # as it was sent: nothing is unpacked here
                    body += part
                    if len(body) > most:
                        raise ProviderFault("Alipay's answer is too long")
        except ProviderFault:
            raise
        except Exception as fault:  # of the network or of the library; its message may quote the address
            raise ProviderFault(f"Alipay cannot be reached: {type(fault).__name__}") from None
        return bytes(body)

    def _ready(self) -> httpx.AsyncClient:
        """The client of this event loop: its connections are kept for the next call, a few seconds later."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            self._client = httpx.AsyncClient(
                verify=self._tls,
                timeout=_SECONDS,
                trust_env=False,
                follow_redirects=False,
                headers={"Accept-Encoding": "identity", "User-Agent": "kassa-host"},
            )
        return self._client
