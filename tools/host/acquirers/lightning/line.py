# SPDX-License-Identifier: MIT
"""One request to an LNbits server: a limit in time and in size, no redirect, a connection of its own.

A connection that is kept could break just when the next request goes out, and that would look like an order lost.
"""

import asyncio
import json
import ssl
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx

from tools.host.errors import ProviderFault

LIMIT = 5.5  # seconds for one request, its connection included; a call of the provider makes two at most
LARGEST = 256 * 1024  # bytes of an answer


@dataclass(frozen=True, slots=True)
class Reply:
    """HTTP status and JSON of an answer."""

    status: int
    body: Any


class Line:
    """`url`: the server's. `key`: of its wallet; it leaves in a header and is shown nowhere. `trust`: of its certificate."""

    def __init__(self, url: str, key: str, trust: ssl.SSLContext) -> None:
        self._url, self._key, self._trust = url, key, trust

    async def ask(self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> Reply:
        """Ask. Raises ProviderFault, whatever is wrong with the answer."""
        try:
            async with asyncio.timeout(LIMIT):
                status, content = await self._send(method, path, query, body)
        except TimeoutError:
            raise ProviderFault("LNbits: no answer in time") from None
        except ProviderFault:
            raise
        except Exception as fault:  # of httpx and what is below it, groups of faults included
            raise ProviderFault(f"LNbits: {type(fault).__name__}") from None
        try:
            return Reply(status, json.loads(content, parse_float=_part, parse_constant=_refuse))
        except (ValueError, RecursionError):
            raise ProviderFault(f"LNbits: no JSON (HTTP {status})") from None

    async def _send(self, method: str, path: str, query: dict[str, str] | None, body: Any) -> tuple[int, bytes]:
        headers = {"X-Api-Key": self._key, "Accept": "application/json", "Accept-Encoding": "identity"}
        client = httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=LIMIT, follow_redirects=False)
        async with client, client.stream(method, self._url + path, params=query, json=body, headers=headers) as answer:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise ProviderFault("LNbits: a packed answer")
            content = bytearray()
            async for piece in answer.aiter_raw():
                content += piece
                if len(content) > LARGEST:
                    raise ProviderFault("LNbits: the answer is too large")
            return answer.status_code, bytes(content)


def _part(text: str) -> str:
    """A number with a point, as it stands: no money of ours has one."""
    return text


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
