# SPDX-License-Identifier: MIT
"""Keeps one connection to the acquirer open: TLS with certificates on both sides, sign-on, back-off after a failure."""

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tools.host.acquirers.card.codec import Codec, Fields
from tools.host.acquirers.card.dialect import Dialect, Form
from tools.host.acquirers.card.line import Late, Line
from tools.host.acquirers.card.requests import Numbers
from tools.host.errors import ProviderFault
from tools.host.running import logs

_BUFFER = 1 << 16  # bytes that are read ahead


@dataclass(frozen=True, slots=True)
class Address:
    """Where the acquirer is. `name`: that of its certificate."""

    host: str
    port: int
    name: str


class Link:
    """`acquirer`: our id at the acquirer (DE 32). The connection opens with the first message, and then stays open."""

    def __init__(
        self,
        dialect: Dialect,
        codec: Codec,
        address: Address,
        context: ssl.SSLContext,
        numbers: Numbers,
        acquirer: str,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._dialect, self._codec = dialect, codec
        self._address, self._context = address, context
        self._numbers, self._acquirer = numbers, acquirer
        self._line: Line | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._attempt: asyncio.Future[None] | None = None  # done: it ended, well or not
        self._failed = False

    async def ready(self) -> None:
        """Wait until there is a connection. Raises ProviderFault; at once if the last attempt failed just now."""
        if self._keeper is None or self._keeper.done():
            self._line, self._failed = None, False
            self._attempt = asyncio.get_running_loop().create_future()
            self._keeper = asyncio.get_running_loop().create_task(self._keep())
        if self._line is None and not self._failed and self._attempt is not None:
            most = (self._dialect.timers["connect"] + self._dialect.timers["answer"]) / 1000
            await asyncio.wait((self._attempt,), timeout=most)
        if self._line is None:
            raise ProviderFault("the acquirer is not reached")

    async def ask(self, form: Form, fields: Mapping[str, str], again: bool = False, late: Late | None = None) -> Fields:
        """Send a message and wait for its answer; see Line.ask. Raises ProviderFault."""
        if self._line is None:
            raise ProviderFault("the acquirer is not reached")
        return await self._line.ask(form, fields, again, late)

    def sign_on_again(self) -> None:
        """End the connection, so that a new one signs on."""
        if self._line is not None:
            self._line.close()

    async def close(self) -> None:
        """End the connection for good, or until the next message."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None

    async def _keep(self) -> None:
        """Connect, and connect again, for ever."""
        first, longest = self._dialect.timers["retry"] / 1000, self._dialect.timers["retry_longest"] / 1000
        wait = first
        loop = asyncio.get_running_loop()
        while True:
            if self._attempt is None or self._attempt.done():
                self._attempt = loop.create_future()
            running: asyncio.Task[None] | None = None
            try:
                line = await self._connect()
                running = loop.create_task(line.run())
                try:
                    await line.sign_on()
                    self._line, self._failed, wait = line, False, first
                    self.counters["connected"] += 1
                    self._attempt.set_result(None)
                    await running
                finally:
                    self._line = None
                    line.close()
                    await _ended(running)
                logs.say(logging.WARNING, "acquirer: the connection ended")
                self._attempt = loop.create_future()
                await asyncio.sleep(first)
            except Exception as fault:  # of the network, TLS, the acquirer or our database: it is tried again
                self.counters["not_connected"] += 1
                self._failed = True
                why = str(fault) if isinstance(fault, ProviderFault) else logs.where(fault)
                logs.say(logging.WARNING, "acquirer: not reached", why=why)
                if not self._attempt.done():
                    self._attempt.set_result(None)
                await asyncio.sleep(wait)
                wait = min(2 * wait, longest)
                self._failed = False

    async def _connect(self) -> Line:
        most = self._dialect.timers["connect"] / 1000
        async with asyncio.timeout(most):
            streams = await asyncio.open_connection(
                self._address.host,
                self._address.port,
                ssl=self._context,
                server_hostname=self._address.name,
                ssl_handshake_timeout=most,
                limit=_BUFFER,
            )
        return Line(self._dialect, self._codec, streams, self.counters, self._numbers, self._acquirer)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
