# SPDX-License-Identifier: MIT
"""Runs the courier over Wi-Fi and TLS: when to connect, how long to wait, when to try again."""

import asyncio
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from kassa import log, overlay
from kassa import status as news
from kassa.crypto.wipe import zero_bytes
from kassa.errors import FlashFault, JournalFull, KeyringError, LinkError, SettingsError, WireError
from kassa.status import Status
from kassa.uplink import answers
from kassa.uplink.courier import Courier
from kassa.vault.settings import settings
from kassa.vault.settings.settings import Settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from kassa.drivers.keypad import Keypad
    from kassa.drivers.wifi import Wifi
    from kassa.hardware import Entropy
    from kassa.uplink.exchange import Exchange
    from kassa.uplink.tls_channel import TlsChannel

_ANSWER_S = const(20)
_GATHERED = const(512)  # no frame is added to a write of this many bytes
_SMALL = const(256)  # bytes read at a time
_LARGE = const(640)  # the same, when more than _MANY answers are awaited
_MANY = const(8)
_LINGER_MS = const(5000)  # an idle connection stays open this long, so that the next sale needs no handshake
_QUIET_MS = const(2000)  # no TLS handshake so soon after a key press: it blocks the processor
_CALM_MS = const(120000)  # the same for looking up the host's name while the cashier is at work: it may block for 14 s
_FIRST_PAUSE_MS = const(1000)
_LONGEST_PAUSE_MS = const(60000)
_LOOKS = const(32)  # the signal is read with every so many turns of a quarter of a second
_REFRESH_MS = const(1800000)  # connect at least every half hour


class ConnectionTask:
    """Owns the connection. One task runs `run`; all other code calls the courier."""

    def __init__(
        self, courier: Courier, values: Settings, wifi: "Wifi", keypad: "Keypad", status: Status, entropy: "Entropy"
    ) -> None:
        self._courier = courier
        self._settings = values
        self.wifi = wifi
        self._keypad = keypad
        self._status = status
        self._entropy = entropy
        self.channel: "TlsChannel | None" = None  # the connection, while there is one
        self.cause = ""  # why the last attempt failed: LinkError.cause or Wifi.cause; "lookup" = it is under way
        self._named = False  # the host has a name, not a number
        self._where: "Any" = None  # where it was reached last: then its name need not be looked up
        self._pause = _FIRST_PAUSE_MS
        # Deadlines in ticks, 0 = none. Expired ones are cleared: ticks wrap, so after 6.2 days one would seem to be ahead again.
        self._not_before = 0  # after a failure: earliest time of the next attempt
        self._stale = 0  # after a handshake: when to connect even with nothing to send

    async def run(self) -> None:
        """Keep Wi-Fi up, and connect when there is something to send. Never returns."""
        self._named = max(self._settings.get(settings.HOST_ADDRESS, b"0")) > ord("9")
        turn = 0
        while True:
            if not self.wifi.connected():
                self._say(news.LINK_OFF)
                turn = 0
                if self._courier.request:
                    self._because("wifi")
                self._unsent()
                self._stale = 0
                if self.wifi.taken:
                    await asyncio.sleep_ms(250)
                    continue
                if not await self._join():
                    self._because(self.wifi.cause)
                    continue
                self._because("")
                self._not_before = 0
            if not turn % _LOOKS:
                self._status.signal = self.wifi.signal()
            turn += 1
            if self._status.link == news.LINK_OFF:
                self._say(news.LINK_WIFI)
            if self._due():
                await self._session()
                await asyncio.sleep_ms(50)  # one that fails at once must not keep out the flow that waits for it
            else:
                self.wifi.save_power(not self._courier.has_pending())
                await asyncio.sleep_ms(250)

    async def _join(self) -> bool:
        """Try to join the network of the settings. Returns whether the station is connected."""
        password = self._settings.get(settings.WIFI_PASSWORD, b"")
        try:
            return await self.wifi.join(self._settings.get(settings.WIFI_NAME, b""), password)
        finally:
            zero_bytes(password)

    def reachable(self) -> bool:
        """Whether to try an online request: Wi-Fi is up, and no attempt to reach the host has failed just now."""
        return self.wifi.connected() and not self._not_before or self._status.link >= news.LINK_BUSY

    def _due(self) -> bool:
        courier = self._courier
        if courier.request and not courier.outcome.kind or courier.task:
            return True
        self._not_before, self._stale = _ahead(self._not_before), _ahead(self._stale)
        quiet = _CALM_MS if self._blocks() and overlay.phase != "idle" else _QUIET_MS
        if self._not_before or 0 <= ticks_diff(ticks_ms(), self._keypad.last_press) < quiet:
            return False
        if courier.may_fetch():
            return True
        return not self._stale or courier.has_pending()

    def _blocks(self) -> bool:
        """Whether the next attempt looks up the host's name, and so stops every task until there is an answer."""
        return self._named and not self._where

    async def _session(self) -> None:
        """One connection, from the handshake until there is nothing left to send."""
        courier, channel = self._courier, None
        self._say(news.LINK_BUSY)
        self.wifi.save_power(False)
        if self._blocks():
            self.cause = "lookup"
            self._status.changed()
        try:
            courier.keyring.reserve_ahead()  # derive keys for it while memory is free
            overlay.connection("connecting")
            self.channel = channel = self._channel()
            self._where = None  # again once the host has answered
            await channel.open()
            await self._talk(channel)
            courier.disconnected()
            if courier.has_pending():  # postponed by the host
                self._back_off()
            else:
                self._pause = _FIRST_PAUSE_MS
        except (LinkError, WireError, FlashFault, JournalFull, KeyringError, SettingsError) as error:
            self._because(error.cause if isinstance(error, LinkError) else "")
            self._failed()
        finally:
            self.channel = None
            if channel:
                channel.close()
            overlay.connection("")

    def _channel(self) -> "TlsChannel":
        from kassa.uplink.tls_channel import TlsChannel

        return TlsChannel(self._settings, self._where)

    def _exchange(self) -> "Exchange":
        from kassa.uplink.exchange import Exchange

        return Exchange(self._courier)

    def _failed(self) -> None:
        """The connection failed, or the flash could not store an answer: try again later."""
        if self._named and self.cause == "dns":
            self._pause = _LONGEST_PAUSE_MS  # each look-up may stop the keypad for as long as 14 s
        self._back_off()
        self._say(news.LINK_WIFI)
        self._unsent()
        try:
            self._courier.disconnected()
        except (FlashFault, JournalFull, KeyringError):
            pass  # the next connection gets the same answers, and writes the missing marks

    async def _talk(self, channel: "TlsChannel") -> None:
        """Exchange messages, then keep the connection open for a while, so that the next sale needs no handshake."""
        courier, idle_since = self._courier, ticks_ms()
        courier.open()
        while True:
            if await self._converse(channel):
                idle_since = ticks_ms()
            overlay.connection("idle")
            done = courier.work()
            while courier.work() == done or not courier.has_work():
                await asyncio.sleep_ms(100)
                lingers = courier.request or ticks_diff(ticks_ms(), idle_since) <= _LINGER_MS
                if not lingers or not self.wifi.connected():
                    return
            overlay.connection("connected")

    async def _converse(self, channel: "TlsChannel") -> bool:
        """Send and receive until nothing is left to send and every answer has arrived. Returns whether anything was sent."""
        courier, exchange = self._courier, self._exchange()
        into, sent = memoryview(bytearray(_SMALL)), False
        while True:
            frame, gathered = exchange.next_frame(), bytearray()
            while frame is not None:
                gathered.extend(frame)
                frame = exchange.next_frame() if len(gathered) < _GATHERED else None
            if gathered:
                await channel.send(gathered)
                sent = True
            elif not exchange.in_flight.count:
                exchange.end()
                return sent
            else:
                if exchange.in_flight.count > _MANY and len(into) == _SMALL:
                    into = memoryview(bytearray(_LARGE))
                count = await channel.receive(into, _ANSWER_S)
                exchange.feed(into[:count])
                if courier.handshaken and self._status.link != news.LINK_HOST:
                    self._stale = _later(_REFRESH_MS)
                    self._where = channel.where
                    self._because("")
                    self._say(news.LINK_HOST)
                    overlay.connection("connected")

    def _unsent(self) -> None:
        """Tell a waiting flow that its request was not sent."""
        courier = self._courier
        if courier.request and not courier.sent:
            courier.outcome.kind = answers.UNSENT
            self._status.changed()
        elif courier.task:
            courier.outcome.kind = courier.outcome.kind or answers.UNSENT
            courier.end_task()
            self._status.changed()

    def _back_off(self) -> None:
        """Wait longer after each failure, with random jitter, so that terminals do not all reconnect at the same time."""
        jitter = self._entropy(1)[0] * self._pause // 512
        self._not_before = _later(self._pause + jitter)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_MS)

    def _because(self, cause: str) -> None:
        """Remember and log why there is no connection; "" = no reason."""
        if cause != self.cause:
            self.cause = cause
            if cause:
                log.no_connection(cause)
            self._status.changed()

    def _say(self, link: int) -> None:
        if self._status.link != link:
            self._status.link = link
            self._status.changed()


def _later(ms: int) -> int:
    """The deadline `ms` milliseconds from now, in ticks."""
    return ticks_add(ticks_ms(), ms) or 1  # pyright: ignore[reportReturnType]  the stubs' type of ticks is an int


def _ahead(due: int) -> int:
    """The deadline `due` if it is still ahead, else 0."""
    return due if due and ticks_diff(due, ticks_ms()) > 0 else 0
