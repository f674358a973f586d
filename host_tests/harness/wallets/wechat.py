# SPDX-License-Identifier: MIT
"""A shop at the simulated WeChat Pay: its table of acquirers.toml, its secrets, and the adapter that they make."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Coroutine, Mapping
from functools import cache
from typing import Any, TypeVar

from tools.host.acquirers import orders
from tools.host.acquirers.provider import Order, Outcome, Refund
from tools.host.acquirers.section import Section
from tools.host.acquirers.wechat import create
from tools.host.acquirers.wechat.provider import WeChatPay
from tools.host.errors import KeyMissing, ProviderFault
from tools.sim.wechat import WeChatSimulator
from tools.sim.wechat.signing import Merchant, Platform, pem, public_pem

CODE, REFERENCE = "134567890123456789", "0123456789abcdef" * 2
NOTHING = "fault"
T = TypeVar("T")


@cache
def merchant(partner: bool = False) -> Merchant:
    return Merchant(sub_merchant="1900000109", sub_app="wxd678efh567hg6999") if partner else Merchant()


@cache
def platform(certificate: bool = False) -> Platform:
    return Platform(public_id="") if certificate else Platform()


@cache
def simulator() -> WeChatSimulator:
    """One for the whole run; `Shop` sets it back."""
    return WeChatSimulator(merchant(), platform()).start()


def table(sim: WeChatSimulator) -> dict[str, Any]:
    """The keys of [[wallet]] that fit a simulator."""
    mine, its = sim.merchant, sim.platform
    found = {
        "merchant": mine.number,
        "app_id": mine.app,
        "serial": mine.serial,
        "private_key": "wechat-key",
        "api_v3_key": "wechat-v3",
        "notify_url": "https://shop.example/wechat",
        "store": "KASSA",
        "url": sim.url,
    }
    if mine.sub_merchant:
        found |= {"sub_merchant": mine.sub_merchant, "sub_app_id": mine.sub_app}
    if its.public_id:
        found |= {"public_key": "wechat-platform", "public_key_id": its.public_id}
    return found


def secrets(sim: WeChatSimulator) -> dict[str, bytes]:
    """What the shop has put into secrets.sealed."""
    return {
        "wechat-key": pem(sim.merchant.key),
        "wechat-v3": sim.merchant.api_key.encode(),
        "wechat-platform": public_pem(sim.platform.key),
    }


def section(values: Mapping[str, Any], held: Mapping[str, bytes]) -> Section:
    def secret(name: str) -> bytes:
        if name not in held:
            raise KeyMissing(f"there is no secret {name!r}")
        return held[name]

    return Section("[[wallet]] 1", values, secret)


class Shop:
    """`provider` with an event loop of its own. Close it."""

    def __init__(self, partner: bool = False, certificate: bool = False) -> None:
        self.sim = simulator()
        self.sim.reset(merchant(partner), platform(certificate))
        self._runner = asyncio.Runner()
        self.provider = self.make()

    @property
    def books(self) -> Any:
        return self.sim.books

    def make(self, **changed: Any) -> WeChatPay:
        """Another adapter, as after a restart or with other keys."""
        return create(section(table(self.sim) | changed, secrets(self.sim)))

    def ago(self, seconds: float) -> None:
        """What is asked now was asked so long ago, by WeChat Pay's clock."""
        self.sim.books.now = lambda: orders.now() - int(seconds * 1000)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self.provider.close())
        self._runner.close()

    def __getattr__(self, call: str) -> Any:
        """The adapter's calls, without await. A ProviderFault becomes its text behind "fault: "."""

        def wait(*args: Any) -> Any:
            try:
                return self.run(getattr(self.provider, call)(*args))
            except ProviderFault as fault:
                return f"{NOTHING}: {fault}"

        return wait


def answer(said: Outcome | str) -> str:
    """Yes, no, waiting, unknown; or "fault"."""
    return NOTHING if isinstance(said, str) else said.answer


def order(amount: int = 1250, shown: bool = False, ago: float = 0.0, code: str = CODE, **more: Any) -> Order:
    """An order that was asked for `ago` seconds ago."""
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago)
    return Order(more.pop("reference", REFERENCE), amount, "CNY", shown, at, "" if shown else code, **more)


def back(of: Order, amount: int, number: int = 1) -> Refund:
    return Refund(f"{number:032x}", of, amount)
