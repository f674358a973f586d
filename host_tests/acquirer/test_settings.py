# SPDX-License-Identifier: MIT
"""What is wrong is said at the start and by its name; what is secret is said nowhere; the words fit on the till."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from host_tests.acquirer.conftest import New
from host_tests.harness.acquirer.bench import TID
from host_tests.harness.host.card import Card
from tools.host.acquirers import card as adapter
from tools.host.acquirers.card import dialect
from tools.host.acquirers.section import Section
from tools.host.errors import KeyMissing, ProviderFault, SetupError
from tools.host.keys import pki
from tools.host.tables import coverage
from tools.sim.acquirer import DIALECTS

SHIPPED = ["cup-1987", "iso-1993"]
_TILL = 60  # bytes of UTF-8


def pem(key: Any) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host", None),
        ("port", 0),
        ("port", "443"),
        ("member", "48 02"),
        ("dialect", "nobody"),
        ("dialect", "/nowhere/mine.toml"),
        ("answer_ms", 0),
        ("trust", None),
        ("trust", "not there"),
        ("certificate", "key"),
        ("private_key", "certificate"),
        ("zone_key", None),
        ("zone_key", "certificate"),
        ("colour", "red"),
    ],
)
def test_what_is_wrong_is_named(new_bench: New, key: str, value: Any) -> None:
    bench = new_bench()
    settings = {**bench.sim.settings(), key: value}
    held = bench.sim.secrets()
    if value is None:
        del settings[key]

    def secret(name: str) -> bytes:
        if name not in held:
            raise KeyMissing(f"there is no secret {name!r}")
        return held[name]

    section = Section("[card]", settings, secret)
    with pytest.raises(SetupError, match=rf"\[card\]: {key}"):
        adapter.create(section, bench.ledger)
        section.done()


def test_a_key_of_the_wrong_kind_is_named(new_bench: New) -> None:
    bench = new_bench()
    wrong = {
        "another key": pki.new_key(),
        "an RSA key": rsa.generate_private_key(65537, 2048),
        "a signing key": ed25519.Ed25519PrivateKey.generate(),
    }
    for name, key in wrong.items():
        held = {**bench.sim.secrets(), "key": pem(key)}
        with pytest.raises(SetupError, match="private_key") as raised:
            adapter.create(Section("[card]", bench.sim.settings(), held.__getitem__), bench.ledger)
        assert "PRIVATE" not in str(raised.value), name
    for weak in (bytes(16), b"0" * 32, b"short", b"z" * 32):
        held = {**bench.sim.secrets(), "zone": weak}
        with pytest.raises(SetupError, match="zone_key"):
            adapter.create(Section("[card]", bench.sim.settings(), held.__getitem__), bench.ledger)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"4" = "n12"', '"4" = "m12"'),
        ('"4" = "n12"', '"400" = "n12"'),
        ('"39" = "an2"', ""),
        ("{amount:012}", "{sum:012}"),
        ("{amount:012}", "{amount.__class__}"),
        ('mti = "0420"', 'mti = "42"'),
        ('types = ["23"]', 'types = ["99"]'),
        ('is = "no", ours = "05"', 'is = "no", ours = "96"'),
        ('is = "unknown", ours = "09"', 'is = "unknown", ours = "05"'),
        ('credit_count = "74"\n', ""),
        ("answer = 10000", "answer = ten"),
        ("[timers]", "[time]"),
    ],
)
def test_a_dialect_that_would_fail_at_the_first_customer_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = (DIALECTS / "cup-1987.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert dialect.load(str(tmp_path / "mine.toml")).name.startswith("ISO 8583")
    (tmp_path / "mine.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SetupError, match="mine.toml"):
        dialect.load(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_answer_has_short_words_in_both_languages_and_a_source(name: str) -> None:
    file = tomllib.loads((DIALECTS / f"{name}.toml").read_text(encoding="utf-8"))
    rows = [*file["codes"].items(), *file["advice_codes"].items()]
    assert len(rows) > 30
    for code, row in rows:
        assert row["source"], code
        for words in (row["en"], row["zh"]):
            assert bool(words) == (row["is"] != "yes"), code
            assert len(words.encode()) <= _TILL and set(words) <= coverage.shown(), code


@pytest.mark.parametrize("name", SHIPPED)
def test_no_card_data_and_no_key_reaches_log_database_or_fault(
    new_bench: New, name: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    bench = new_bench(name, answer_ms=200)
    bench.card = Card("4761739001010119")
    caplog.set_level(logging.DEBUG)
    faults: list[str] = [repr(bench.acquirer), repr(bench.acquirer.link), repr(bench.section())]

    async def work() -> None:
        for mood in ("", "silent", "cut after", "garbage", "amount", "96", "refuse", "length", "mac"):
            if mood and (mood != "mac" or bench.sim.wire.has_mac):
                bench.sim.plan(mood)
            payment = bench.payment()
            faults.append(repr(payment))
            try:
                faults.append(repr(await bench.acquirer.decide(payment)))
                await bench.acquirer.undo(TID, payment.uid)
            except ProviderFault as fault:
                faults.append(repr(fault))
        await bench.acquirer.close()

    asyncio.run(work())
    with closing(sqlite3.connect(tmp_path / "acquirer.db")) as db:
        stored = "\n".join(db.iterdump())
    assert stored.count('INSERT INTO "upstream" VALUES') > 5
    said = caplog.text + "".join(faults) + stored
    pan, track = bench.card.pan, f"{bench.card.pan}D{bench.card.expiry}"
    cryptogram = bench.payment().tags["9F26"].hex()
    for secret in (pan, pan[6:-4], track, cryptogram, bench.sim.zone_key.hex(), "PRIVATE KEY"):
        assert secret.lower() not in said.lower()
