# SPDX-License-Identifier: MIT
"""Serves the page and its websocket on this machine only. The page gets all its data over the websocket."""

import asyncio
import contextlib
import json
import socket
import threading
from pathlib import Path
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from tools.panel import cards
from tools.panel.commands import CommandError
from tools.panel.simulation import Simulation

PAGE = Path(__file__).with_name("page")
_ADDRESS = "127.0.0.1"
_HOSTS = [_ADDRESS, "localhost"]  # reject other names that resolve to us (DNS rebinding)
_POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_BACKLOG = 400  # messages queued for a slow page
_PORTS = 20


def application(simulation: Simulation) -> Starlette:
    """The web application for a simulation."""
    simulation.news.publish("cards", cards.drawn())
    terminal = simulation.system.terminal
    simulation.news.publish("shop", {
        "terminal": terminal.terminal_id,
        "merchant": terminal.merchant_name,
        "supervisor": simulation.system.supervisor_code,
        "staff": simulation.staff,
    })  # fmt: skip

    async def index(_: Request) -> Response:
        return FileResponse(
            PAGE / "index.html", headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        )

    async def state(_: Request) -> Response:
        return JSONResponse(simulation.news.current(), headers={"Cache-Control": "no-store"})

    async def link(socket: WebSocket) -> None:
        await _link(simulation, socket)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/api/state", state),
            WebSocketRoute("/link", link),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)],
    )


async def _link(simulation: Simulation, socket: WebSocket) -> None:
    """Serve one open page: send news, receive commands."""
    origin = socket.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != socket.headers.get("host"):
        await socket.close(1008)  # a page of another site
        return
    await socket.accept()
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[str | bytes] = asyncio.Queue(_BACKLOG)

    def put(message: str | bytes) -> None:
        if not waiting.full():
            waiting.put_nowait(message)
        else:
            reader.cancel()  # the page reconnects and gets the whole state again

    def listener(message: str | bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and so is the page
            loop.call_soon_threadsafe(put, message)

    async def send() -> None:
        while True:
            message = await waiting.get()
            await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message))

    async def receive() -> None:
        while True:
            try:
                await asyncio.to_thread(simulation.commands.do, json.loads(await socket.receive_text()))
            except (CommandError, ValueError) as error:
                put(json.dumps({"topic": "error", "value": str(error)}))

    reader, writer = asyncio.create_task(receive()), asyncio.create_task(send())
    simulation.news.subscribe(listener)
    try:
        await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
    finally:
        simulation.news.unsubscribe(listener)
        for task in (reader, writer):
            task.cancel()
        await asyncio.gather(reader, writer, return_exceptions=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close()


class Server:
    """The web server in a thread. `port` is the first port to try; `address` is the resulting URL."""

    def __init__(self, simulation: Simulation, port: int) -> None:
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self.address = f"http://{_ADDRESS}:{self.port}"
        config = uvicorn.Config(
            application(simulation), log_level="warning", lifespan="off", ws="websockets-sansio",
            ws_per_message_deflate=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="page", daemon=True)

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()


def _listen(port: int) -> socket.socket:
    """A socket on `port` or the next free port. Raises OSError if there is none."""
    for candidate in [*range(port, port + _PORTS), 0] if port else [0]:
        try:
            return socket.create_server((_ADDRESS, candidate))
        except OSError:
            continue
    raise OSError(f"no free port from {port} on")
