# SPDX-License-Identifier: MIT
"""One connection to the acquirer: many requests in flight, matched with their answers by STAN and time (DE 11, DE 7)."""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.host.acquirers.card import requests, translate
from tools.host.acquirers.card.codec import Codec, Fields, MacFault
from tools.host.acquirers.card.dialect import Dialect, Form
from tools.host.acquirers.card.requests import Numbers
from tools.host.acquirers.threads import in_thread
from tools.host.errors import ProviderFault
from tools.host.running import logs

_REMEMBERED = 2_000  # requests whose answers may still come, or came
_IN_FLIGHT = 1000
Key = tuple[str, ...]
Late = Callable[[Fields], Awaitable[None]]


@dataclass(slots=True)
class Waiting:
    """A request in flight or given up. `expected`: what its answer has to say; no card data is in it."""

    form: Form
    expected: Mapping[str, str]
    future: asyncio.Future[Fields]
    late: Late | None
    answered: bool = False


class Line:
    """`counters`: what went wrong, by name: duplicate, late, unknown, mismatch, mac, garbage."""

    def __init__(
        self,
        dialect: Dialect,
        codec: Codec,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        counters: Counter[str],
        numbers: Numbers,
        acquirer: str,
    ) -> None:
        self._dialect, self._codec = dialect, codec
        self._reader, self._writer = streams
        self._counters, self._numbers, self._acquirer = counters, numbers, acquirer
        self._answer_wait = dialect.timers["answer"] / 1000
        self._in_flight: dict[Key, Waiting] = {}
        self._past: OrderedDict[Key, Waiting] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._key: bytes | None = None
        self._signed_on = asyncio.Event()
        self.ended = False

    async def sign_on(self) -> None:
        """Sign on; the session key, if the dialect has one, comes with the answer. Raises ProviderFault."""
        answer = await self._manage(self._dialect.sign_on)
        self._key = self._codec.session_key(answer)
        self._signed_on.set()

    async def ask(self, form: Form, fields: Mapping[str, str], again: bool = False, late: Late | None = None) -> Fields:
        """Send a message and wait for its answer. `again`: as the dialect's repeat. Raises ProviderFault.

        `late`: gets an answer that comes when nobody waits any more.
        """
        key = self._key_of(fields)
        if self.ended or len(self._in_flight) >= _IN_FLIGHT or key in self._in_flight:
            raise ProviderFault("the acquirer's connection is closed or full")
        mac_key = self._key if form.name not in ("sign_on",) else None
        frame = self._codec.encode(form.repeat or form.mti if again else form.mti, fields, mac_key)
        checked = {name: fields[name] for name in self._dialect.echoed if name in fields}
        waiting = Waiting(form, checked, self._loop.create_future(), late)
        self._in_flight[key] = waiting
        try:
            async with asyncio.timeout(self._answer_wait):
                self._writer.write(frame)
                await self._writer.drain()
                return await waiting.future
        except TimeoutError:
            raise ProviderFault("the acquirer does not answer") from None
        except OSError:
            raise ProviderFault("the acquirer's connection was cut") from None
        finally:
            del self._in_flight[key]
            self._past[key] = waiting
            while len(self._past) > _REMEMBERED:
                self._past.popitem(last=False)

    async def run(self) -> None:
        """Read until the connection ends, and test it while it is silent."""
        reading = self._loop.create_task(self._read())
        testing = self._loop.create_task(self._test())
        try:
            await asyncio.wait((reading, testing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            testing.cancel()
            self.close()
            await asyncio.gather(reading, testing, return_exceptions=True)

    def close(self) -> None:
        """End the connection. Whoever waits gets a ProviderFault."""
        self.ended = True
        self._writer.transport.abort()
        for waiting in self._in_flight.values():
            if not waiting.future.done():
                waiting.future.set_exception(ProviderFault("the acquirer's connection was cut"))

    async def _read(self) -> None:
        framing = self._dialect.framing
        try:
            while True:
                prefix = await self._reader.readexactly(framing.size)
                async with asyncio.timeout(self._answer_wait):
                    message = await self._reader.readexactly(framing.length(prefix))
                self._heard = self._loop.time()
                self._take(message)
        except (TimeoutError, ValueError, ProviderFault) as fault:
            self._count("garbage", why=str(fault) or "half a message")
        except (OSError, EOFError):
            pass

    async def _test(self) -> None:
        """The echo test, whenever nothing was heard for a while. Ends when it is not answered."""
        silence = self._dialect.timers["echo"] / 1000
        await self._signed_on.wait()
        while True:
            await asyncio.sleep(max(0.0, self._heard + silence - self._loop.time()))
            if self._loop.time() - self._heard >= silence:
                try:
                    await self._manage(self._dialect.echo)
                except ProviderFault:
                    self._count("no_echo")
                    return

    async def _manage(self, form: Form) -> Fields:
        """Ask for a sign-on or an echo. Raises ProviderFault if it is refused."""
        stan = await in_thread(self._numbers.take)
        member = {"acquirer": self._acquirer, "acquirer_length": len(self._acquirer)}
        fields = translate.render(form, self._dialect, {"stan": stan, **member, **translate.times(requests.now())})
        answer = await self.ask(form, fields)
        if answer.get("39", "") not in form.done:
            raise ProviderFault(f"the acquirer refuses {form.name}: {answer.get('39', '')[:3]!a}")
        return answer

    def _take(self, message: bytes) -> None:
        """One message from the acquirer. Raises ProviderFault if it cannot be read: nothing after it can be trusted."""
        try:
            fields = self._codec.decode(message, self._key)
        except MacFault as fault:
            self._count("mac")
            waiting = self._in_flight.get(self._key_of(fault.fields))
            if waiting and not waiting.future.done():
                waiting.future.set_exception(fault)
            self.close()  # the two sides have other keys: sign on again
            return
        key = self._key_of(fields)
        waiting = self._in_flight.get(key) or self._past.get(key)
        if waiting is None:
            self._count("unknown")
        elif waiting.answered:
            self._count("duplicate")
        elif trouble := self._trouble(waiting, fields):
            self._count("mismatch", element=trouble)
            if not waiting.future.done():
                waiting.future.set_exception(ProviderFault(f"the acquirer's answer is about something else: {trouble}"))
        else:
            waiting.answered = True
            if waiting.future.done() or key not in self._in_flight:
                self._come_late(waiting, fields)
            else:
                waiting.future.set_result(fields)

    def _come_late(self, waiting: Waiting, fields: Fields) -> None:
        self._count("late")
        if waiting.late is not None:
            task = self._loop.create_task(_quietly(waiting.late, fields))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _trouble(self, waiting: Waiting, fields: Fields) -> str:
        """Which element of an answer is not what it has to be; "" if all are."""
        if fields["t"] != waiting.form.answer:
            return "MTI"
        code = self._dialect.result[0] if waiting.form is self._dialect.settlement else "39"
        for name in (code, *(each for each in self._dialect.must if each in waiting.expected)):
            if name not in fields:
                return f"DE {name}"
        differs = (name for name, value in waiting.expected.items() if fields.get(name, value).strip() != value.strip())
        return next((f"DE {name}" for name in differs), "")

    def _key_of(self, fields: Mapping[str, Any]) -> Key:
        return tuple(fields.get(name, "") for name in self._dialect.match)

    def _count(self, what: str, **more: Any) -> None:
        self._counters[what] += 1
        logs.say(logging.WARNING, f"acquirer: {what}", **more)


async def _quietly(late: Late, fields: Fields) -> None:
    try:
        await late(fields)
    except Exception as fault:  # nobody waits for it: the request is repeated or undone
        logs.say(logging.ERROR, "acquirer: a late answer is not stored", fault=logs.where(fault))
