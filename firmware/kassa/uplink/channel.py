# SPDX-License-Identifier: MIT
"""One TLS connection to the host, both sides authenticated. Every wait has a limit."""

import asyncio

import tls
from micropython import const

from kassa.errors import LinkError
from kassa.vault import settings
from kassa.vault.settings import Settings

_OPEN_S = const(10)
_SEND_S = const(10)


class Channel:
    """Opened per drain; certificates are read from the settings each time and not kept."""

    def __init__(self, values: Settings) -> None:
        self._settings = values
        self._reader = None
        self._writer = None

    async def open(self) -> None:
        """Connect and authenticate. Raises LinkError."""
        values = self._settings
        try:
            await asyncio.wait_for(self._connect(values), _OPEN_S)
        except (OSError, ValueError, asyncio.TimeoutError):
            raise LinkError("no connection to the host")

    async def _connect(self, values: Settings) -> None:
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]  missing in the stubs
        context.load_verify_locations(values.get(settings.CA_CERTIFICATE))
        context.load_cert_chain(values.get(settings.CLIENT_CERTIFICATE), values.get(settings.CLIENT_KEY))
        port = values.get(settings.HOST_PORT)
        self._reader, self._writer = await asyncio.open_connection(
            str(values.get(settings.HOST_ADDRESS), "utf-8"),
            port[0] << 8 | port[1],
            ssl=context,
            server_hostname=str(values.get(settings.HOST_NAME), "utf-8"),
        )

    async def send(self, data: bytearray) -> None:
        """Hand bytes to TLS. Raises LinkError: some of them may have left."""
        writer = self._writer
        if writer is None:
            raise LinkError("not connected")
        try:
            writer.write(data)
            await asyncio.wait_for(writer.drain(), _SEND_S)
        except (OSError, ValueError, asyncio.TimeoutError):
            raise LinkError("connection lost", sent=True)

    async def receive(self, into: memoryview, seconds: int) -> int:
        """Whatever has arrived, at least one byte. Raises LinkError when the host closes or says nothing in time."""
        reader = self._reader
        if reader is None:
            raise LinkError("not connected")
        try:
            count = await asyncio.wait_for(_some(reader, into), seconds)
        except (OSError, ValueError, asyncio.TimeoutError):
            raise LinkError("no answer", sent=True)
        if not count:
            raise LinkError("host closed the connection", sent=True)
        return count

    def close(self) -> None:
        """Close the socket; safe to call twice. A failed handshake leaves it open otherwise."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            try:
                writer.s.close()  # pyright: ignore[reportAttributeAccessIssue]  the stream's socket, not in the stubs
            except OSError:
                pass


async def _some(reader: asyncio.StreamReader, into: memoryview) -> int:
    """At least one byte: TLS may need several reads for the first one."""
    count = None
    while count is None:
        count = await reader.readinto(into)
    return count
