# SPDX-License-Identifier: MIT
"""A wallet of kind "lnbits" in acquirers.toml: what is wrong is named at the start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.lightning.bench import order
from tools.host.acquirers import configuration
from tools.host.acquirers.lightning import create
from tools.host.acquirers.lightning.lnbits import LNbits
from tools.host.acquirers.provider import WAITING, Provider
from tools.host.acquirers.section import Section
from tools.host.errors import KeyMissing, SetupError
from tools.host.keys import pki
from tools.host.store.ledger import Ledger
from tools.sim.lnbits import LnbitsSimulator

KEY = b"0123456789abcdef0123456789abcdef"
GOOD: dict[str, Any] = {"url": "https://lnbits.example.com/", "key": "lnbits-key", "rate": "142.86"}


def section(values: dict[str, Any], **secrets: bytes) -> Section:
    held = {"lnbits-key": KEY, **{name.replace("_", "-"): value for name, value in secrets.items()}}

    def secret(name: str) -> bytes:
        if name not in held:
            raise KeyMissing(f"there is no secret {name!r}")
        return held[name]

    return Section("[[wallet]] 1", values, secret)


def made(values: dict[str, Any], **secrets: bytes) -> LNbits:
    found = section(values, **secrets)
    provider = create(found)
    found.done()
    return provider


def test_the_keys_that_a_wallet_needs_and_those_it_may_have(tmp_path: Path) -> None:
    provider: Provider = made(GOOD)
    assert provider.manners.shown_patience == 100
    pki.ensure(tmp_path)
    every = {
        **GOOD, "unit": "sat", "expiry": 60, "memo": "茶馆", "network": "tbs", "zone": "Asia/Urumqi", "trust": "lnbits-ca",
    }  # fmt: skip
    assert made(every, lnbits_ca=(tmp_path / "ca.pem").read_bytes()).manners.shown_patience == 60
    in_yuan = {"url": GOOD["url"], "key": GOOD["key"], "unit": "CNY", "rate_least": "130", "rate_most": "150.5"}
    assert made(in_yuan) and made({**in_yuan, "rate_most": "130.000000"})


WRONG: list[tuple[str, dict[str, Any], dict[str, bytes]]] = [
    ("url", {"url": "http://lnbits.example.com"}, {}),
    ("url", {"url": None}, {}),
    ("key", {"key": "another"}, {}),
    ("key", {}, {"lnbits_key": b"0" * 31}),
    ("key", {}, {"lnbits_key": b"-----BEGIN PRIVATE KEY-----"}),
    ("key", {}, {"lnbits_key": b""}),
    ("rate", {"rate": None}, {}),
    ("rate", {"rate": 142.86}, {}),
    ("rate", {"rate": "0"}, {}),
    ("rate", {"rate": "-1"}, {}),
    ("rate", {"rate": "1e3"}, {}),
    ("unit", {"unit": "USD"}, {}),
    ("rate_least", {"unit": "CNY", "rate": None}, {}),
    ("rate_most", {"unit": "CNY", "rate_least": "130", "rate": None}, {}),
    ("rate_most", {"unit": "CNY", "rate_least": "130.1", "rate_most": "130", "rate": None}, {}),
    ("rate", {"unit": "CNY", "rate_least": "130", "rate_most": "140"}, {}),  # it would not be used
    ("expiry", {"expiry": 29}, {}),
    ("expiry", {"expiry": 601}, {}),
    ("network", {"network": "mainnet"}, {}),
    ("memo", {"memo": "x" * 41}, {}),
    ("zone", {"zone": "Asia/Kassa"}, {}),
    ("zone", {"zone": "/etc/passwd"}, {}),
    ("trust", {"trust": "lnbits-ca"}, {}),
    ("trust", {"trust": "lnbits-ca"}, {"lnbits_ca": b"rubbish in it"}),
    ("trust", {"trust": "lnbits-ca"}, {"lnbits_ca": b"\xff\xfe"}),
    ("rat", {"rat": "1"}, {}),
]


@pytest.mark.parametrize("name, change, secrets", WRONG)
def test_what_is_wrong_is_named(name: str, change: dict[str, Any], secrets: dict[str, bytes]) -> None:
    values = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(SetupError, match=rf"^\[\[wallet\]\] 1: {name}: ") as fault:
        made(values, **secrets)
    assert KEY.decode() not in str(fault.value) and not any(
        one.decode("latin1") in str(fault.value) for one in secrets.values() if one
    )


def test_a_hosts_file_makes_a_wallet_that_works(tmp_path: Path) -> None:
    with LnbitsSimulator() as server:
        text = f"""
            [[wallet]]
            kind = "lnbits"
            url = "{server.url}"
            key = "lnbits-key"
            rate = "100"
        """
        (tmp_path / configuration.FILE).write_text(text)
        ledger = Ledger(tmp_path / "host.db")
        _, wallets = configuration.load(tmp_path, ledger, lambda _: server.shop.invoice_key.encode() + b"\n")
        said = asyncio.run(wallets.wallets["lnbits"].provider.pay(order()))
        assert said.answer == WAITING and said.their_code == "1250 sat"
        ledger.close()


def test_an_invoice_too_long_for_the_screen_is_refused_and_never_shown() -> None:
    with LnbitsSimulator() as server:
        values = {"url": server.url, "key": "lnbits-key", "rate": "100"}
        provider = made(values, lnbits_key=server.shop.invoice_key.encode())
        server.hints = 1
        assert len(asyncio.run(provider.pay(order())).shown) in range(300, 368)
        server.hints = 2
        said = asyncio.run(provider.pay(order()))
        assert (said.answer, said.shown, said.words.en) == ("no", b"", "This code is too long to show")
