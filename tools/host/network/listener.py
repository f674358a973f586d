# SPDX-License-Identifier: MIT
"""The network port: mutual TLS, many frames per connection, answers in order, a timeout on every wait."""

import asyncio
import contextlib
import datetime
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from tools.host.errors import FrameError, HangUp
from tools.host.transactions.service import Service
from tools.host.wire import codec
from tools.host.wire.message import Message
from tools.host.wire.wire_log import WireLog

_log = logging.getLogger("kassa.host")
_IDLE = 120.0  # seconds without data from the terminal, or until it has read its answers
_TLS_HANDSHAKE = 15.0
_READ = 65536  # bytes per read
_CONNECTIONS = 512
_TOGETHER = 8  # messages answered together; the terminal can send more meanwhile


class Listener:
    """Serves terminals on one port."""

    def __init__(
        self, service: Service, log: WireLog, certified: Callable[[str, datetime.datetime], bool] | None = None
    ) -> None:
        self.port = 0
        self._service = service
        self._log = log
        self._count = service.counters
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._certified = certified
        self._known: dict[str, datetime.datetime] = {}  # expiry dates already reported, by terminal

    async def start(self, address: str, port: int, tls: ssl.SSLContext) -> None:
        """Start listening. `port` 0 picks a free port. Raises OSError if the port is in use."""
        self._server = await asyncio.start_server(
            self._serve, address, port, ssl=tls, ssl_handshake_timeout=_TLS_HANDSHAKE, limit=_READ
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._server:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count["connections"] += 1
        self._open.add(writer)
        try:
            if len(self._open) <= _CONNECTIONS:
                self._report_certificate(writer.get_extra_info("peercert") or {})
                await self._talk(reader, writer)
        except HangUp as end:
            await self._say_last(writer, end.last)
        except (TimeoutError, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # the terminal reconnects and repeats what was not answered; CancelledError: the host is stopping
        except SQLAlchemyError as fault:  # none of this group is committed, so none is answered
            self._count["database_faults"] += 1
            _log.error("database: %s", type(fault).__name__)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _say_last(self, writer: asyncio.StreamWriter, last: bytes) -> None:
        """Send what is still to be sent, and close."""
        with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
            writer.write(last)
            await asyncio.wait_for(writer.drain(), _IDLE)
            writer.close()

    def _report_certificate(self, certificate: dict[str, Any]) -> None:
        """Report the expiry date of a new certificate. The certificate's common name is the terminal id."""
        names = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
        if self._certified and names and "notAfter" in certificate:
            ends = datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), datetime.UTC)
            if self._known.get(names[0]) != ends and self._certified(names[0], ends):
                self._known[names[0]] = ends

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = bytearray()
        while data := await asyncio.wait_for(reader.read(_READ), _IDLE):
            buffer += data
            messages, sound = self._read(buffer)
            for at in range(0, len(messages), _TOGETHER):
                frames = await self._service.respond(messages[at : at + _TOGETHER])
                self._log.write("down", frames)
                writer.write(b"".join(frames))
                await asyncio.wait_for(writer.drain(), _IDLE)
            if not sound:
                raise HangUp

    def _read(self, buffer: bytearray) -> tuple[list[Message], bool]:
        """The complete frames in the buffer, and False if the stream cannot be parsed any further."""
        messages: list[Message] = []
        try:
            for frame in codec.split(buffer):
                self._count["frames"] += 1
                self._log.write("up", [codec.with_length(frame)])
                message = self._service.authenticated(frame)
                if message:
                    messages.append(message)
        except FrameError:
            self._count["garbage"] += 1
            return messages, False
        return messages, True


class _AlertFirst(ssl.SSLObject):
    """A TLS connection that refuses a certificate with an alert.

    asyncio drops a connection as soon as its handshake fails, with the alert still in the buffer, and the terminal cannot
    tell why. So the failure is first reported as "more data is needed", which makes asyncio send what there is. The
    terminal closes when it has read the alert; if it does not, the time limit of the handshake does.
    """

    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        if self._failure:
            raise self._failure
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as failure:
            self._failure = failure
            raise ssl.SSLWantReadError from failure


def tls_context(home: Path) -> ssl.SSLContext:
    """TLS 1.2 or later with the host's certificate; clients must have a certificate of the merchant's CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(home / "host.pem", home / "host.key.pem")
    context.load_verify_locations(home / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.sslobject_class = _AlertFirst
    return context
