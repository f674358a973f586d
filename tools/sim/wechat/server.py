# SPDX-License-Identifier: MIT
"""The simulated WeChat Pay on loopback: Starlette and uvicorn in a thread of its own."""

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tools.host.network.sockets import listen
from tools.sim.wechat import moods
from tools.sim.wechat.books import Books, Refusal
from tools.sim.wechat.routes import Routes, call_of
from tools.sim.wechat.signing import Merchant, Platform, is_by, seal

_START = 20.0  # seconds


class WeChatSimulator:
    """`merchant`: whose requests it takes. `platform`: its own key. `skew`: seconds that its clock is wrong.

    `certificate`: a file with certificate and key, for TLS. A mood is used up by the first request that it is for.
    `is_silent`: no request is answered, and none has an effect. `lock`: hold it to look at `books` or change them.
    `on_change` is called with it, after each request that was understood and before its answer leaves.
    """

    def __init__(self, merchant: Merchant, platform: Platform, certificate: Path | None = None) -> None:
        self.merchant, self.platform = merchant, platform
        self.books = Books()
        self.routes = Routes(merchant, self.books)
        self.skew = 0
        self.is_silent = False
        self.on_change: Callable[[], None] = lambda: None
        self.calls: list[str] = []  # that came
        self.done: list[str] = []  # that had their effect
        self._moods: list[moods.Mood] = []
        self._certificate = certificate
        self.lock = threading.Lock()
        self._ready, self._thread = threading.Event(), threading.Thread(target=self._run, name="wechat", daemon=True)
        self._ended: asyncio.Event | None = None
        self._server: uvicorn.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self._port}"

    def start(self) -> "WeChatSimulator":
        self._thread.start()
        if not self._ready.wait(_START) or not self._port:
            raise RuntimeError("the simulated WeChat Pay does not start")
        return self

    def stop(self) -> None:
        server, ended = self._server, self._ended
        if server is not None and ended is not None:
            server.should_exit = server.force_exit = True
            server.servers[0].get_loop().call_soon_threadsafe(ended.set)
        self._thread.join(_START)

    def will(self, kind: str, on: str = "", after: bool = True) -> None:
        """Set a mood for one request."""
        with self.lock:
            self._moods.append(moods.Mood(kind, on, after))

    def reset(self, merchant: Merchant, platform: Platform) -> None:
        """Books, moods and keys as at the start."""
        with self.lock:
            self.merchant, self.platform, self.books, self.skew = merchant, platform, Books(), 0
            self.routes = Routes(merchant, self.books)
            self._moods.clear()
            self.calls.clear()
            self.done.clear()

    def notification(self, number: str, event: str = "TRANSACTION.SUCCESS") -> tuple[dict[str, str], bytes]:
        """Headers and body of what it would tell the shop about an order or refund."""
        if event.startswith("REFUND"):
            refund = self.books.find_refund(number)
            about: dict[str, Any] = {"out_refund_no": number, "out_trade_no": refund.order}
        else:
            about = self.routes.said(self.books.find(number))
        resource = seal(json.dumps(about).encode(), self.merchant.api_key, "transaction")
        told = {"id": "EV-1", "event_type": event, "resource_type": "encrypt-resource", "resource": resource}
        body = json.dumps(told).encode()
        return self.platform.headers(body, self._now()), body

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        site = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope["transport"] = getattr(getattr(send, "__self__", None), "transport", None)
            await site(scope, receive, send)

        config = uvicorn.Config(
            with_transport,
            http="h11",
            log_config=None,
            log_level="critical",
            lifespan="off",
            ws="none",
            proxy_headers=False,
            timeout_keep_alive=75,
            ssl_certfile=self._certificate,
        )
        self._server = uvicorn.Server(config)
        listening = listen("127.0.0.1", 0)
        running = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not running.done():
            await asyncio.sleep(0.005)
        self._port = listening.getsockname()[1]
        self._ready.set()
        await running

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        kind = call_of(request.method, request.url.path)
        if self.is_silent:
            return await self._fail(request, moods.HANGS)
        mood = self._mood(kind)
        if mood and not mood.after:
            return await self._fail(request, mood.kind)
        status, data = self._respond(request, body)
        self.done.append(kind)
        if mood and mood.kind in moods.FAILS:
            return await self._fail(request, mood.kind)
        if mood and mood.kind in moods.RAW:
            status, content, headers = moods.raw(mood.kind)
            signed = {**headers, **self.platform.headers(content, self._now())}
            length = {"Content-Length": str(len(content) + 9)} if mood.kind == moods.CUT else {}
            return Response(content, status, {**signed, **length})
        if isinstance(data, bytes):
            return Response(data, status, {"Content-Type": "application/octet-stream"})
        if mood and mood.kind in moods.LIES:
            data = moods.lie(mood.kind, data)
        return self._sign(status, data, mood.kind if mood else "")

    def _mood(self, kind: str) -> moods.Mood | None:
        with self.lock:
            self.calls.append(kind)
            found = next((mood for mood in self._moods if mood.on in ("", kind)), None)
            if found:
                self._moods.remove(found)
            return found

    def _respond(self, request: Request, body: bytes) -> tuple[int, dict[str, Any] | bytes]:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        said = request.headers.get("Authorization", "")
        if not is_by(self.merchant, said, request.method, target, body, self._now()):
            return 401, {"code": "SIGN_ERROR", "message": "..."}
        asked = dict(request.query_params)
        try:
            with self.lock:
                try:
                    return self.routes.answer(request.method, request.url.path, asked, body, self.url, self.platform)
                finally:
                    self.on_change()
        except Refusal as refusal:
            return refusal.status, {"code": refusal.code, "message": "..."}
        except (KeyError, TypeError, ValueError):
            return 400, {"code": "PARAM_ERROR", "message": "..."}

    def _sign(self, status: int, data: dict[str, Any], mood: str) -> Response:
        content = b"" if status == 204 else json.dumps(data).encode()
        if data.get("code") == "SIGN_ERROR" or mood == moods.UNSIGNED:
            return Response(content, status, {"Content-Type": "application/json"})
        platform = Platform() if mood == moods.UNKNOWN_KEY else self.platform
        if mood == moods.UNKNOWN_KEY:
            platform.public_id = "PUB_KEY_ID_9999999999"
        headers = platform.headers(content, self._now() - (400 if mood == moods.STALE else 0))
        if mood == moods.FORGED:
            headers["Wechatpay-Nonce"] = "0" * 32
        if mood == moods.PROBE:  # WeChat Pay tests now and then whether a shop checks
            headers["Wechatpay-Signature"] = "WECHATPAY/SIGNTEST/" + headers["Wechatpay-Signature"]
        return Response(content, status, {"Content-Type": "application/json", **headers})

    async def _fail(self, request: Request, kind: str) -> Response:
        if kind == moods.BUSY:
            return self._sign(500, {"code": "SYSTEM_ERROR", "message": "..."}, "")
        if kind == moods.OFTEN:
            return self._sign(429, {"code": "FREQUENCY_LIMITED", "message": "..."}, "")
        if kind == moods.BROKEN:
            return Response(moods.PAGE, 503, {"Content-Type": "text/html"})
        if kind == moods.HANGS:
            assert self._ended is not None
            await self._ended.wait()
        transport = request.scope["transport"]
        if kind == moods.RESET:
            closing = transport.get_extra_info("socket")
            closing.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return Response()

    def _now(self) -> int:
        return int(time.time()) + self.skew
