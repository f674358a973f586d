# SPDX-License-Identifier: MIT
"""The page's end of the websocket, without a browser: sends commands, keeps the newest value of each topic."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from websockets.sync.client import connect


class Page:
    """Receives everything into `topics`, `events` and `bands`."""

    def __init__(self, port: int) -> None:
        self._stack = ExitStack()
        self._link = self._stack.enter_context(
            connect(
                f"ws://127.0.0.1:{port}/link",
                max_size=None,
                proxy=None,
                compression=None,
                close_timeout=1,
                ping_interval=None,
            )
        )
        self.topics: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.bands: list[bytes] = []

    def __enter__(self) -> "Page":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def do(self, what: str, **more: Any) -> None:
        """Send a command."""
        self.send({"do": what, **more})

    def send(self, message: Any) -> None:
        self._link.send(message if isinstance(message, str) else json.dumps(message))

    def keys(self, keys: str) -> None:
        for key in keys:
            self.do("key", key=key)

    def wait(self, ready: Callable[[], Any], what: str, timeout: float = 20.0) -> None:
        """Receive until `ready()`. Raises AssertionError with the latest topics."""
        end = time.monotonic() + timeout
        while not ready():
            left = end - time.monotonic()
            if left <= 0:
                shown = {topic: self.topics.get(topic) for topic in ("screen", "world", "till", "error")}
                raise AssertionError(f"waited {timeout:g} s for {what}\n{shown}\n{self.events[-10:]}")
            try:
                self._hear(self._link.recv(left))
            except TimeoutError:
                continue

    def wait_screen(self, text: str, timeout: float = 20.0) -> None:
        self.wait(lambda: any(text in line for line in self.screen), f"{text!r} on the screen", timeout)

    @property
    def screen(self) -> list[str]:
        return self.topics.get("screen", [])

    @property
    def payments(self) -> list[dict[str, Any]]:
        """The host's payments, newest first."""
        return self.topics["ledger"]["payments"]

    def rest(self) -> None:
        """Return to the home page from anywhere, with the host online and nothing queued."""
        self.wait(lambda: "events" in self.topics, "the first full state")
        self.do("mood", mood="normal")
        self.do("radio", state="on")
        self.do("power", on=True)
        self.wait(lambda: self.topics.get("world", {}).get("power"), "power")
        self.wait(
            lambda: any(line.startswith(("E ", "C ")) for line in self.screen) or self._at_rest(), "a page with keys"
        )
        while not self._at_rest():
            before = self.screen[1:]  # the top bar changes by itself
            self.keys(
                "C" if any("C Cancel" in line or "C Back" in line or "C Skip" in line for line in before) else "E"
            )
            self.wait(lambda before=before: self.screen[1:] != before, "another page")
        self.wait(lambda: self.topics["till"]["waiting"]["count"] == 0, "the queue to be empty")
        self.wait(lambda: any("Online" in line for line in self.screen), "the host to be heard")

    def _at_rest(self) -> bool:
        return any("E Sell" in line for line in self.screen)

    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.bands.append(message)
            return
        news = json.loads(message)
        if news["topic"] == "event":
            self.events.append(news["value"])
        else:
            self.topics[news["topic"]] = news["value"]
