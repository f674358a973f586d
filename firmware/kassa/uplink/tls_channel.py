# SPDX-License-Identifier: MIT
"""One TLS connection to the host, both sides authenticated. Every wait has a limit."""

import asyncio

import tls
from micropython import const

from kassa.errors import LinkError
from kassa.vault.settings import settings
from kassa.vault.settings.settings import Settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

_OPEN_S = const(10)
_DRAWN_MS = const(800)  # in which the home page is drawn anew
_SEND_S = const(10)


class TlsChannel:
    """Used for one connection. Certificates are read from the settings each time and not kept."""

    def __init__(self, values: Settings, where: "Any" = None) -> None:
        """`where`: the address of the host as getaddrinfo gave it, None = look it up."""
        self.where = where
        self.step = 1 if where else 0  # how far it has come: 1 name known, 2 TCP, 3 TLS, 4 the host has answered
        self._settings = values
        self._socket = None  # the one that carries TLS
        self._stream: "Any" = None  # the TLS object; asyncio's own streams would take 1 KB
        self._stage = "dns"  # the cause if it fails now: "dns", "host" until TCP is connected, then "silent"
        self._heard = False

    async def open(self) -> None:
        """Connect. Raises LinkError, and leaves no socket open.

        TLS authenticates when the first bytes are sent, so if that fails, `send` or `receive` raises.
        """
        values = self._settings
        try:
            if self.where is None:
                await self._look_up(values)
            await asyncio.wait_for(self._connect(values), _OPEN_S)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            self.close()
            raise LinkError("no connection to the host", False, self._cause(error))

    async def _look_up(self, values: Settings) -> None:
        """Set `where`. Without an answer lwIP blocks every task for 7 s per name server: first the pages are drawn."""
        import socket

        host, port = str(values.get(settings.HOST_ADDRESS), "utf-8"), values.get(settings.HOST_PORT)
        if max(host) > "9":
            await asyncio.sleep_ms(_DRAWN_MS)
        self.where = socket.getaddrinfo(host, port[0] << 8 | port[1], 0, socket.SOCK_STREAM)[0][-1]
        self.step = 1

    async def _connect(self, values: Settings) -> None:
        """Like `asyncio.open_connection`, which does not close its socket when something fails."""
        import socket
        from errno import EINPROGRESS

        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]  missing in the stubs
        context.load_verify_locations(values.get(settings.CA_CERTIFICATE))
        context.load_cert_chain(values.get(settings.CLIENT_CERTIFICATE), values.get(settings.CLIENT_KEY))
        self._stage = "host"
        self._socket = bare = socket.socket()
        bare.setblocking(False)
        try:
            bare.connect(self.where)
        except OSError as error:
            if error.errno != EINPROGRESS:
                raise
        await _writable(bare)  # pyright: ignore[reportGeneralTypeIssues]  in MicroPython it is
        wrapped = context.wrap_socket(
            bare, server_hostname=str(values.get(settings.HOST_NAME), "utf-8"), do_handshake_on_connect=False
        )
        self._stream = wrapped
        self._stage, self.step = "silent", 2

    async def send(self, data: bytearray) -> None:
        """Send bytes. Raises LinkError: some of them may have been sent."""
        stream = self._stream
        if stream is None:
            raise LinkError("not connected")
        try:
            await asyncio.wait_for(_all(stream, data), _SEND_S)
            self.step = max(self.step, 3)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            raise LinkError("connection lost", True, self._cause(error))

    async def receive(self, into: memoryview, seconds: int) -> int:
        """Read at least one byte into `into`; returns the count.

        Raises LinkError if the host closes the connection, or sends nothing for `seconds`.
        """
        stream = self._stream
        if stream is None:
            raise LinkError("not connected")
        try:
            count = await asyncio.wait_for(_some(stream, into), seconds)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            raise LinkError("no answer", True, self._cause(error))
        if not count:
            raise LinkError("host closed the connection", sent=True)
        self._heard, self.step = True, 4
        return count

    def _cause(self, error: Exception) -> str:
        """LinkError.cause, from a module that is in memory only for a failure."""
        from kassa.uplink import link_cause

        return link_cause.of(error, self._stage, self._heard)

    def close(self) -> None:
        """Close TLS and its socket; safe to call twice.

        Both must be closed: after a failed TLS handshake the TLS object no longer refers to the socket, and before the
        handshake there is no TLS object.
        """
        bare, stream, self._socket, self._stream = self._socket, self._stream, None, None
        for end in (stream, bare):
            if end is not None:
                try:
                    end.close()
                except OSError:
                    pass


def _writable(stream: "Any") -> "Generator":
    """Wait until bytes can be written, or a socket has connected or failed to connect."""
    yield asyncio.core._io_queue.queue_write(stream)  # pyright: ignore[reportAttributeAccessIssue]  not in the stubs


def _readable(stream: "Any") -> "Generator":
    """Wait until there is something to read."""
    yield asyncio.core._io_queue.queue_read(stream)  # pyright: ignore[reportAttributeAccessIssue]  not in the stubs


async def _all(stream: "Any", data: bytearray) -> None:
    """Write every byte."""
    rest = memoryview(data)
    while True:
        rest = rest[stream.write(rest) or 0 :]
        if not rest:
            return
        await _writable(stream)  # pyright: ignore[reportGeneralTypeIssues]  in MicroPython it is


async def _some(stream: "Any", into: memoryview) -> int:
    """Read at least one byte. TLS may need several reads for the first one."""
    count = None
    while count is None:
        await _readable(stream)  # pyright: ignore[reportGeneralTypeIssues]  likewise
        count = stream.readinto(into)
    return count
