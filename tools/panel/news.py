# SPDX-License-Identifier: MIT
"""Publishes the state of the simulation, by topic, to listeners. Thread-safe."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

_EVENTS = 80

Listener = Callable[[str | bytes], None]


class News:
    """Keeps the newest value of each topic, the latest events, and the whole picture of the display.

    A listener is called with JSON text {"topic", "value"}, or with bytes: a band of the display (see picture.py).
    It must return at once. `ms`: the time of events, in ms since 1970.
    """

    def __init__(self, ms: Callable[[], int] = lambda: round(time.time() * 1000)) -> None:
        self._ms = ms
        self._lock = threading.RLock()
        self._topics: dict[str, str] = {}
        self._events: deque[dict[str, Any]] = deque(maxlen=_EVENTS)
        self._picture = b""
        self._listeners: list[Listener] = []
        self._number = 0

    def publish(self, topic: str, value: Any) -> bool:
        """Publish a topic's value if it has changed. Returns whether it has."""
        text = json.dumps({"topic": topic, "value": value}, ensure_ascii=False)
        with self._lock:
            if self._topics.get(topic) == text:
                return False
            self._topics[topic] = text
            self._send(text)
        return True

    def event(self, what: str, **more: Any) -> None:
        """Publish an event that happened now. `what` is a key of the page's words, `more` fills its placeholders."""
        with self._lock:
            self._number += 1
            event = {"id": self._number, "at": self._ms(), "what": what, **more}
            self._events.append(event)
            self._send(json.dumps({"topic": "event", "value": event}, ensure_ascii=False))

    def picture(self, band: bytes, whole: bytes) -> None:
        """Publish a changed band of the display. New listeners first get the whole picture."""
        with self._lock:
            self._picture = whole
            self._send(band)

    def subscribe(self, listener: Listener) -> None:
        """Add a listener. It gets the current state first, then every change."""
        with self._lock:
            for text in self._topics.values():
                listener(text)
            listener(json.dumps({"topic": "events", "value": list(self._events)}, ensure_ascii=False))
            if self._picture:
                listener(self._picture)
            self._listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = [other for other in self._listeners if other is not listener]

    def current(self) -> dict[str, Any]:
        """The current value of every topic."""
        with self._lock:
            return {topic: json.loads(text)["value"] for topic, text in self._topics.items()}

    def _send(self, message: str | bytes) -> None:
        for listener in self._listeners:
            listener(message)
