# SPDX-License-Identifier: MIT
"""The network port: takes connections in, counts them, and gives each that gets through TLS a conversation.

A connection is counted when TCP has it. TLS, which needs much more memory, begins with the first byte; until it is through,
a connection waits, and those who wait push each other out. The certificate then says which terminal it is.
"""

import asyncio
import datetime
import errno
import logging
import socket
import ssl
from asyncio import sslproto
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from tools.host.errors import SetupError
from tools.host.network import tls
from tools.host.network.conversation import Conversation
from tools.host.network.lines import Line, Lines, group
from tools.host.network.refusals import Refusals
from tools.host.network.sockets import listen
from tools.host.network.tls import FAULTS, Identity, Peer
from tools.host.running import logs
from tools.host.settings import Limits
from tools.host.store.ledger import Ledger
from tools.host.transactions.service import Service
from tools.host.wire.wire_log import WireLog

_READ = 65536  # bytes that may wait in a connection
_TLS_BUFFER = 32768  # bytes; asyncio's 256 KiB a connection is for servers of files, our frames have 2 KiB
_BACKLOG = 1024
_EVERY = 1.0  # seconds between looks at revoked certificates and blocked terminals
_PAUSE = 0.2  # seconds, when the system has no descriptor left


class Listener:
    """Serves terminals on one port. `home`: certificates. `took`: told the seconds from messages to their answers."""

    def __init__(
        self,
        home: Path,
        service: Service,
        log: WireLog,
        ledger: Ledger,
        limits: Limits | None = None,
        took: Callable[[float], object] = float,
    ) -> None:
        self.port = 0
        self.limits = limits or Limits()
        self.refusals = Refusals(service.counters)
        self.lines = Lines(self.limits, self._dropped)
        self.blocked: dict[str, str] = {}  # terminal -> reason
        self._home = home
        self._service = service
        self._count = service.counters
        self._ledger = ledger
        self._conversation = Conversation(service, log, self.limits, self.refusals, took)
        self._known: dict[str, datetime.datetime] = {}  # expiry dates already stored, by terminal
        self._tasks: set[asyncio.Task[None]] = set()
        self._own: list[asyncio.Task[None]] = []
        self._plain: socket.socket | None = None
        self.identity: Identity | None = None

    async def start(self, address: str, port: int) -> None:
        """Start listening. `port` 0 picks a free port.

        Raises OSError if the port is in use, SetupError or ssl.SSLError if the certificates cannot be used.
        """
        sslproto.SSLProtocol.max_size = _TLS_BUFFER
        self.identity = Identity(self._home)
        self.blocked = self._ledger.blocked()
        self._plain = listen(address, port, _BACKLOG)
        self._plain.setblocking(False)
        self.port = self._plain.getsockname()[1]
        own = (self._accept(self._plain), self._watch(self._look_at_files), self._watch(self._look_at_blocks))
        self._own = [asyncio.create_task(each) for each in own]

    async def stop(self) -> None:
        """Close the port, finish what is being answered within the limit, and close every connection."""
        for task in self._own:
            task.cancel()
        await asyncio.gather(*self._own, return_exceptions=True)
        if self._plain:
            self._plain.close()
        for line in self.lines:
            line.end("stopping")
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self.limits.shutdown_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self.refusals.say_counts(all_of_them=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                plain, address = await loop.sock_accept(listening)
            except OSError as fault:  # a peer that is gone already, or no descriptor left: never the end of the port
                self.refusals.note(
                    "accept", logging.ERROR, fault=errno.errorcode.get(fault.errno or 0, str(fault.errno))
                )
                await asyncio.sleep(0 if fault.errno == errno.ECONNABORTED else _PAUSE)
                continue
            try:
                self._take_in(plain, group(address[0]))
            except Exception as fault:
                plain.close()
                self._failed(fault)

    def _take_in(self, plain: socket.socket, address: str) -> None:
        line = Line(address, lambda: task.cancel())
        if not self.lines.arrive(line):
            self.refusals.note("connections_of_address", address=address)
            plain.close()
            return
        task = asyncio.create_task(self._serve(plain, line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: (self.lines.leave(line), plain.close()))  # also if it never began to run

    async def _serve(self, plain: socket.socket, line: Line) -> None:
        """One connection from its first byte to its end."""
        writer: asyncio.StreamWriter | None = None
        faults: list[str] = []
        FAULTS.set(faults)
        try:
            reader, writer = await self._secure(plain)
            if self._admit(line, writer):
                self._count["connections"] += 1
                await self._keep_date(line.peer)
                await self._conversation.hold(line, reader, writer)
        except TimeoutError:
            self._refuse(*(("certificate", faults[0]) if faults else ("slow_handshake", "")), line)
        except (ConnectionError, ssl.SSLError, EOFError, OSError) as fault:
            reason = getattr(fault, "reason", None) or type(fault).__name__
            level = logging.WARNING if faults or isinstance(fault, ssl.SSLError) else logging.INFO  # INFO: only closed
            self._refuse(*(("certificate", faults[0]) if faults else ("handshake", reason)), line, level)
        except Exception as fault:
            self._failed(fault)
        finally:
            if writer:
                writer.transport.abort()

    async def _secure(self, plain: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Wait for the first byte, and go through TLS. Raises TimeoutError, OSError, ssl.SSLError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self.limits.handshake_seconds):
            await _readable(plain)
            reader = asyncio.StreamReader(_READ, loop)
            protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
            assert self.identity
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                plain,
                ssl=self.identity.context,
                ssl_handshake_timeout=self.limits.handshake_seconds + 1,
            )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    def _admit(self, line: Line, writer: asyncio.StreamWriter) -> bool:
        """Whether this certificate is let in; the line is then among those that are open."""
        secured = writer.get_extra_info("ssl_object")
        try:
            peer = Peer.of(writer.get_extra_info("peercert"), secured.getpeercert(True) or b"")
        except (ValueError, KeyError):
            self._refuse("certificate", "names no terminal", line)
            return False
        reason = self._unwanted(peer)
        if reason:
            line.peer = peer
            self._refuse(*reason, line)
            return False
        if not self.lines.secured(line, peer):
            self._refuse("connections", "all are being answered", line)
            return False
        return True

    def _unwanted(self, peer: Peer) -> tuple[str, str] | None:
        """Why a terminal must not be connected: reason and detail."""
        if self.identity and peer.serial in self.identity.revoked.serials:
            return "revoked", f"serial {peer.serial:x}"
        if peer.terminal in self.blocked:
            return "blocked", self.blocked[peer.terminal]
        if peer.ends <= datetime.datetime.now(datetime.UTC):
            return "certificate", "certificate has expired"
        return None

    async def _keep_date(self, peer: Peer | None) -> None:
        """Store the expiry date of a certificate that is new here; a database that fails is not the terminal's fault."""
        if peer is None or self._known.get(peer.terminal) == peer.ends:
            return
        try:
            if await self._service.in_thread(self._ledger.certified, peer.terminal, peer.ends):
                self._known[peer.terminal] = peer.ends
        except SQLAlchemyError as fault:
            self._failed(fault)

    async def _watch(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look now and then, whatever comes of it."""
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await look()
            except (SetupError, OSError, ValueError) as fault:  # ssl.SSLError is an OSError
                self.refusals.say("certificate_files", logging.ERROR, fault=str(fault))
            except Exception as fault:
                self._failed(fault)

    async def _look_at_blocks(self) -> None:
        """Ask the database who is blocked, and end their lines."""
        self.blocked = await asyncio.to_thread(self._ledger.blocked)
        self._end_unwanted()

    async def _look_at_files(self) -> None:
        """Read certificates and revocations if they have changed, and end the lines of who is revoked or expired."""
        self.refusals.say_counts()
        self._end_unwanted()
        if self.identity and await asyncio.to_thread(self.identity.refresh):
            revoked = self.identity.revoked
            logs.say(
                logging.INFO,
                "certificates read",
                ends=self.identity.ends,
                revoked=len(revoked.serials),
                due=revoked.due,
            )
            if revoked.made and not revoked.current(datetime.datetime.now(datetime.UTC)):
                logs.say(logging.WARNING, "revocations overdue", file=tls.REVOKED, due=revoked.due)
            self._end_unwanted()

    def _end_unwanted(self) -> None:
        for line in self.lines:
            reason = self._unwanted(line.peer) if line.peer and not line.ending else None
            if reason:
                self._refuse(*reason, line)
                line.end(reason[0])

    def _dropped(self, reason: str, line: Line) -> None:
        self.refusals.note(reason, terminal=line.terminal, address=line.address)

    def _refuse(self, reason: str, detail: str, line: Line, level: int = logging.WARNING) -> None:
        self.refusals.note(reason, level, detail=detail, terminal=line.terminal, address=line.address)

    def _failed(self, fault: Exception) -> None:
        self._count["faults"] += 1
        self.refusals.say("fault", logging.ERROR, fault=logs.where(fault))


async def _readable(plain: socket.socket) -> None:
    """Wait until a byte can be read, or the peer has closed."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[Any] = loop.create_future()
    loop.add_reader(plain, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(plain)
