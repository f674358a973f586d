# SPDX-License-Identifier: MIT
"""What is said on one connection: frames in, answers out in order, a limit on every wait, and one place for what fails."""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from tools.host.errors import ForeignTerminal, FrameError, HangUp
from tools.host.network.lines import Line
from tools.host.network.refusals import Refusals
from tools.host.running import logs
from tools.host.settings import Limits
from tools.host.transactions.service import Service
from tools.host.wire import codec
from tools.host.wire.message import Message
from tools.host.wire.wire_log import WireLog

_READ = 65536  # bytes per read
_TOGETHER = 8  # messages answered together; the terminal can send more meanwhile
_CLOSE = 1.0  # seconds for the last bytes


class Conversation:
    """Parts that all connections share. `took`: told the seconds from messages to their answers."""

    def __init__(
        self, service: Service, log: WireLog, limits: Limits, refusals: Refusals, took: Callable[[float], object]
    ) -> None:
        self._service = service
        self._log = log
        self._limits = limits
        self._refusals = refusals
        self._took = took

    async def hold(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk until one side ends it. Raises nothing but CancelledError."""
        try:
            await self._talk(line, reader, writer)
        except HangUp as end:
            with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
                await self._send(line, writer, end.last)
                writer.close()
        except (ConnectionError, ssl.SSLError, EOFError):
            pass  # the terminal reconnects and repeats what was not answered
        except TimeoutError:
            self._refuse("answers_not_read", line)
        except Exception as fault:
            self._failed(line, fault)

    async def _talk(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = bytearray()
        begun = 0.0  # when the first byte of the frame in the buffer came
        bad = 0
        while not line.ending:
            data = await self._more(line, reader, begun if buffer else None)
            if not data:
                return
            line.heard = now = time.monotonic()
            line.busy = True
            frames, waited = self._service.counters["frames"], bool(buffer)
            buffer += data
            messages, sound, wrong = self._read(line, buffer)
            if not waited or self._service.counters["frames"] != frames:
                begun = now
            for at in range(0, len(messages), _TOGETHER):
                answers = await self._answers(line, messages[at : at + _TOGETHER])
                self._wire("down", answers)
                await self._send(line, writer, b"".join(answers))
                self._took(time.monotonic() - now)
            line.busy = False
            bad += wrong
            if bad >= self._limits.bad_macs:
                self._refuse("bad_macs", line)
                return
            if not sound:
                return
        writer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE):
                await writer.wait_closed()

    async def _more(self, line: Line, reader: asyncio.StreamReader, begun: float | None) -> bytes:
        """The next bytes; none if the terminal closed, or said too little for too long."""
        limits = self._limits
        left = limits.idle_seconds if begun is None else begun + limits.frame_seconds - time.monotonic()
        try:
            async with asyncio.timeout(max(left, 0)):
                return await reader.read(_READ)
        except TimeoutError:
            self._refuse("idle" if begun is None else "slow_frame", line)
            return b""

    async def _send(self, line: Line, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Send, and wait until there is room for more. Raises TimeoutError."""
        if data:
            writer.write(data)
            async with asyncio.timeout(self._limits.answer_seconds):
                await writer.drain()

    def _read(self, line: Line, buffer: bytearray) -> tuple[list[Message], bool, int]:
        """The messages of the complete frames, whether the stream can be read any further, and the count of bad MACs."""
        messages: list[Message] = []
        bad = 0
        try:
            for frame in codec.split(buffer):
                self._service.counters["frames"] += 1
                self._wire("up", [codec.with_length(frame)])
                message = self._service.authenticated(frame, line.terminal)
                if message:
                    messages.append(message)
                else:
                    bad += 1
                    self._refusals.say("bad_mac", terminal=line.terminal, address=line.address)
                    if bad >= self._limits.bad_macs:
                        break
        except FrameError as error:
            self._refuse("garbage", line, fault=str(error))
            return messages, False, bad
        except ForeignTerminal as other:
            self._refuse("foreign_terminal", line, named=other.named)
            return messages, False, bad
        except Exception as fault:  # a parser that fails in a new way ends this connection only
            self._failed(line, fault)
            return messages, False, bad
        return messages, True, bad

    async def _answers(self, line: Line, messages: list[Message]) -> list[bytes]:
        """The frames in answer to a group. Raises HangUp, also for whatever else is raised: it is logged, but not what it says.

        A message that breaks its handler has its answer from the service (96). What comes here breaks the connection.
        """
        try:
            return await self._service.respond(messages)
        except (HangUp, ConnectionError):
            raise
        except SQLAlchemyError as fault:  # nothing that is not committed is answered
            self._service.counters["database_faults"] += 1
            cause = getattr(fault, "orig", None)
            name = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
            self._refusals.say("database", logging.ERROR, terminal=line.terminal, fault=logs.where(fault), cause=name)
        except Exception as fault:
            self._failed(line, fault)
        raise HangUp

    def _failed(self, line: Line, fault: Exception) -> None:
        self._service.counters["faults"] += 1
        self._refusals.say("fault", logging.ERROR, terminal=line.terminal, fault=logs.where(fault))

    def _refuse(self, reason: str, line: Line, **fields: str) -> None:
        level = logging.INFO if reason == "idle" else logging.WARNING
        self._refusals.note(reason, level, terminal=line.terminal, address=line.address, **fields)

    def _wire(self, direction: str, frames: list[bytes]) -> None:
        if not self._log.write(direction, frames):
            self._refusals.note("wire_log_lost", logging.ERROR)
