# SPDX-License-Identifier: MIT
"""The host's log: JSON lines on stderr, or lines for people on a terminal. Never card data, keys or whole frames.

A record is an event in a word or two and fields beside it: `say(logging.WARNING, "refused", reason="revoked")`.
Whoever logs waits for nobody: a thread writes, and a log that nobody takes away is dropped, not waited for.
"""

import contextlib
import datetime
import json
import logging
import queue
import sys
import threading
import traceback
from logging.handlers import QueueHandler
from typing import Any, TextIO

from tools.host.settings import Log

NAME = "kassa.host"
_MOST = 10_000  # records that wait to be written
_CLOSE = 5.0  # seconds for what waits at the end
_CHATTY = ("alembic", "asyncio", "httpx")  # say at level info what only their makers want to know
_FORMS = {"human": False, "json": True}
_log = logging.getLogger(NAME)


def say(level: int, event: str, **fields: Any) -> None:
    """Log one event. `fields` must hold no card data."""
    _log.log(level, "%s%s", event, _told(fields), extra={"event": event, "fields": fields})


def _told(fields: dict[str, Any]) -> str:
    return "".join(f" {name}={value!a}" for name, value in fields.items())


def where(fault: BaseException) -> str:
    """Type and place of an exception, without its message, which may quote data."""
    frames = traceback.extract_tb(fault.__traceback__)
    return type(fault).__name__ + (
        f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    )


class JsonLines(logging.Formatter):
    """One JSON object a line: at (UTC), level, event, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "event": _event(record)}
        if record.name != NAME:
            line["from"] = record.name
        return json.dumps({**line, **_fields(record)}, ensure_ascii=True, default=str)


class Lines(logging.Formatter):
    """A line for people: time, level, event, fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        return f"{at} {record.levelname:<7} {_event(record)}{_told(_fields(record))}"


def _event(record: logging.LogRecord) -> str:
    event = getattr(record, "event", None) or record.getMessage()
    return "".join(each if each.isprintable() else " " for each in event).strip()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1]:
        fields["fault"] = where(record.exc_info[1])
    return fields


class _NeverWaits(QueueHandler):
    """Hands records to the writing thread; counts those that find no room."""

    def __init__(self, records: "queue.Queue[logging.LogRecord | None]") -> None:
        super().__init__(records)
        self.lost = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.lost += 1


class Logging:
    """All loggers of this process write to `stream` as the settings say, until `close`."""

    def __init__(self, settings: Log, stream: TextIO | None = None) -> None:
        self._out: TextIO = stream or sys.stderr
        as_json = _FORMS.get(settings.form, not self._out.isatty())
        self._form = JsonLines() if as_json else Lines()
        self._records: queue.Queue[logging.LogRecord | None] = queue.Queue(_MOST)
        self._handler = _NeverWaits(self._records)
        self._writer = threading.Thread(target=self._write, name="kassa-log", daemon=True)
        self._writer.start()
        root = logging.getLogger()
        self._before = root.level
        root.setLevel(settings.level.upper())
        root.addHandler(self._handler)
        for chatty in _CHATTY:
            logging.getLogger(chatty).setLevel(logging.WARNING)

    @property
    def lost(self) -> int:
        """Records that were dropped, because nobody took the log away."""
        return self._handler.lost

    def close(self) -> None:
        """Write what waits, and stop; gives up on a stream that takes nothing."""
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._before)
        with contextlib.suppress(queue.Full):
            self._records.put(None, timeout=_CLOSE)
            self._writer.join(_CLOSE)

    def _write(self) -> None:
        while (record := self._records.get()) is not None:
            try:
                self._out.write(self._form.format(record) + "\n")
                self._out.flush()
            except (OSError, ValueError):  # a full disk, a closed stream: not a reason to fail
                self._handler.lost += 1
