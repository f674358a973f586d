# SPDX-License-Identifier: MIT
"""What every request to the pages must keep: a host name that is ours, an origin that is ours, a small body.

The host name is checked because another site's name can be made to resolve to us (DNS rebinding), the origin because
another site's form can be sent to us.
"""

import asyncio
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset(("127.0.0.1", "localhost", "[::1]"))
OPERATOR = "/api/operator/"  # has a token and limits of its own (operations/operator_work.py)
_API = "/api/"  # answers programs, which send no origin and have no session
_BODY = 64 << 10  # bytes
_PATIENCE = 10.0  # seconds for a body
_METHODS = ("GET", "HEAD", "POST")
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all a browser would send no origin with its own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Guard:
    """Wraps the pages. `hosts`: names and addresses under which they may be called; loopback always may."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        guarded = _with_headers(send)
        refusal = self._refusal(scope)
        if refusal is None and scope["method"] == "POST" and not scope["path"].startswith(OPERATOR):
            try:
                receive = _given(await asyncio.wait_for(_body(receive), _PATIENCE))
            except TimeoutError:
                refusal = PlainTextResponse("too slow", 408, headers={"Connection": "close"})
            except _TooLarge:
                refusal = PlainTextResponse("too large", 413, headers={"Connection": "close"})
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) != 1 or _name(headers["host"]) not in self._hosts:
            return PlainTextResponse("this host is not called that", 421)
        if scope["method"] not in _METHODS:
            return PlainTextResponse("not allowed", 405, headers={"Allow": ", ".join(_METHODS)})
        length = headers.get("content-length", "0")
        if not scope["path"].startswith(OPERATOR) and (not length.isdigit() or int(length) > _BODY):
            return PlainTextResponse("too large", 413, headers={"Connection": "close"})
        if scope["method"] == "POST":
            origin = headers.get("origin")
            if origin is None and not scope["path"].startswith(_API):
                return PlainTextResponse("no origin", 403)
            if origin is not None and origin.partition("://")[2].lower() != headers["host"].lower():
                return PlainTextResponse("sent from another site", 403)
        return None


class _TooLarge(Exception):
    pass


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _BODY:
            raise _TooLarge
        if message["type"] != "http.request" or not message.get("more_body"):
            return body


def _given(body: bytes) -> Receive:
    """A body that has been read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return guarded
