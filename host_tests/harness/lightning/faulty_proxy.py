# SPDX-License-Identifier: MIT
"""A proxy in front of an LNbits server that does what a test says to one kind of request, and passes on the others."""

from __future__ import annotations

import gzip
import http.client
import http.server
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

Edit = Callable[[Any], Any]

NESTED = b"[" * 60_000 + b"]" * 60_000
# What it can do. "before" and "after": before or after the server has done it.
BEFORE = ("reset before", "error before", "hang before")
AFTER = ("reset after", "error after", "hang after")
BAD_ANSWERS = ("html", "empty", "endless", "elsewhere", "too often", "key refused", "list")
# The server's own answer, after it has done it, spoiled: whoever looks away sees a good one.
SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "no json": lambda answer: answer[:-1],
    "another form": lambda answer: b'{"payment": ' + answer + b"}",
    "20 MB": lambda answer: answer + b" " * (20 << 20),
    "nested json": lambda answer: answer[:-1] + b', "x": ' + NESTED + b"}",
    "not a number": lambda answer: answer[:-1] + b', "x": NaN}',
    "huge number": lambda answer: answer[:-1] + b', "x": ' + b"9" * 5000 + b"}",
    "packed": gzip.compress,
    "cut short": lambda answer: answer,
}


class FaultyProxy:
    """`on`: "POST", "GET" or "" (both). `times`: how often the mood holds. `edit`: changes the JSON of an answer.

    `passed`: requests that reached the server, as (method, path).
    """

    def __init__(self, upstream: str, trust: ssl.SSLContext | None = None) -> None:
        self.upstream = urlsplit(upstream)
        self.mood, self.on, self.times = "", "", 1
        self.edit: Edit | None = None
        self.passed: list[tuple[str, str]] = []
        self.elsewhere = 0  # requests that followed a redirect
        self.waiting = threading.Event()  # somebody hangs
        self.let_go = threading.Event()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if trust:
            self._server.socket = trust.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if trust else 'http'}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def set(self, mood: str, on: str = "", times: int = 1) -> None:
        """From now on."""
        self.mood, self.on, self.times = mood, on, times
        self.waiting.clear()

    def change(self, edit: Edit, on: str = "", times: int = 1) -> None:
        """Change the JSON of the next answers."""
        self.edit = edit
        self.set("edit", on, times)

    def take(self, method: str) -> str:
        """The mood for a request."""
        if not self.mood or self.on not in ("", method) or not self.times:
            return ""
        self.times -= 1
        return self.mood

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    owner: FaultyProxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None: ...

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.close_connection = True
        if self.path.startswith("/elsewhere"):
            self.owner.elsewhere += 1
        mood = self.owner.take(self.command)
        try:
            self._act(mood, body)
        except (OSError, ssl.SSLError):
            pass  # who asked has gone

    def _act(self, mood: str, body: bytes) -> None:
        if mood == "reset before":
            return self._reset()
        if mood == "error before":
            return self._say(503, b"<html>Service Unavailable</html>", "text/html")
        if mood == "hang before":
            return self._hang()
        if mood in BAD_ANSWERS:
            return self._bad(mood)
        status, answer = self._ask(body)
        if mood == "reset after":
            return self._reset()
        if mood == "error after":
            return self._say(502, b"<html>Bad Gateway</html>", "text/html")
        if mood == "hang after":
            return self._hang()
        if mood in SPOILT:
            encoding = "gzip" if mood == "packed" else ""
            return self._say(status, SPOILT[mood](answer), encoding=encoding, more=5 * (mood == "cut short"))
        if mood == "edit" and self.owner.edit:
            answer = json.dumps(self.owner.edit(json.loads(answer))).encode()
        return self._say(status, answer)

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        to = self.owner.upstream
        line = http.client.HTTPConnection(to.hostname or "", to.port, timeout=30)
        names = ("X-Api-Key", "Content-Type", "Accept", "Accept-Encoding")
        line.request(
            self.command, self.path, body, {name: self.headers[name] for name in names if name in self.headers}
        )
        self.owner.passed.append((self.command, self.path.partition("?")[0]))
        answer = line.getresponse()
        content = answer.read()
        line.close()
        return answer.status, content

    def _bad(self, mood: str) -> None:
        if mood == "html":
            return self._say(200, b"<html><form>Sign in to the hotel's network</form></html>", "text/html")
        if mood == "elsewhere":
            return self._say(307, b"", location=f"{self.owner.url}/elsewhere{self.path}")
        if mood == "too often":
            return self._say(429, b'{"error": "Rate limit exceeded"}')
        if mood == "key refused":
            return self._say(404, b'{"detail": "Wallet not found."}')
        if mood == "endless":
            self.send_response(200)
            self.end_headers()
            self.owner.waiting.set()
            while not self.owner.let_go.wait(0.02):  # a byte at a time, so that no read ever takes long
                self.wfile.write(b" ")
            return None
        return self._say(200, b"[]" if mood == "list" else b"")

    def _say(
        self,
        status: int,
        body: bytes,
        kind: str = "application/json",
        location: str = "",
        encoding: str = "",
        more: int = 0,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) + more))
        if location:
            self.send_header("Location", location)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def _hang(self) -> None:
        self.owner.waiting.set()
        self.owner.let_go.wait(60)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
