# SPDX-License-Identifier: MIT
"""What is set up wrong for WeChat Pay is named at the start; TLS is checked; every outcome has words a till can show."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from host_tests.harness.wallets.wechat import Shop, answer, order, secrets, section, table
from tools.host.acquirers import configuration
from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES
from tools.host.acquirers.wechat import codes, create
from tools.host.acquirers.wechat.provider import WeChatPay
from tools.host.errors import KeyMissing, SetupError
from tools.host.store.ledger import Ledger
from tools.host.tables import coverage
from tools.host.wire import answers
from tools.sim.wechat import WeChatSimulator, books, moods
from tools.sim.wechat.signing import pem, public_pem


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


def _pem(key: Any, password: bytes | None = None) -> bytes:
    sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)


SMALL, CURVE = rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("merchant", None, "is missing"),
        ("merchant", "898000000000001", "a merchant number of WeChat Pay"),
        ("merchant", 1900000001, "a merchant number of WeChat Pay"),
        ("app_id", None, "is missing"),
        ("serial", "xyz", "serial number in hex"),
        ("private_key", None, "is missing"),
        ("private_key", "nobody", "there is no secret of this name"),
        ("api_v3_key", "nobody", "there is no secret"),
        ("public_key", None, "is missing"),
        ("public_key_id", None, "public_key: is unknown"),
        ("public_key_id", "PUB_KEY", "PUB_KEY_ID_"),
        ("notify_url", None, "shows = false"),
        ("notify_url", "http://shop.example/", "https://"),
        ("notify_url", "https://shop.example/?a=1", "https://"),
        ("store", None, "is missing"),
        ("description", "茶" * 43, "up to 42 characters"),
        ("sub_merchant", "1", "a merchant number"),
        ("sub_app_id", "wxd678efh567hg6999", "is unknown"),
        ("url", "http://api.example", "https://"),
        ("url", "https://api.example/v3", "without a path"),
        ("trust", "/nowhere/anchors.pem", "certificates in PEM"),
        ("shows", "no", "true or false"),
        ("privat_key", "x", "private_key?"),
    ],
)
def test_a_wrong_key_of_the_table_is_named(shop: Shop, key: str, value: Any, why: str) -> None:
    values = table(shop.sim) | {"kind": "wechat", key: value}
    if value is None:
        del values[key]
    reads = section(values, secrets(shop.sim))
    with pytest.raises(SetupError) as told:
        create(reads)
        reads.text("kind")
        reads.done()
    assert key in str(told.value) and why in str(told.value)


@pytest.mark.parametrize(
    ("key", "name", "content"),
    [
        ("private_key", "wechat-key", b"hunter2"),
        ("private_key", "wechat-key", b""),
        ("private_key", "wechat-key", _pem(CURVE)),
        ("private_key", "wechat-key", _pem(SMALL)),
        ("private_key", "wechat-key", _pem(CURVE, b"hunter2")),
        ("private_key", "wechat-key", public_pem(SMALL)),
        ("public_key", "wechat-platform", b"hunter2"),
        ("public_key", "wechat-platform", pem(SMALL)),
        ("public_key", "wechat-platform", public_pem(SMALL)),
        ("api_v3_key", "wechat-v3", b"hunter2"),
        ("api_v3_key", "wechat-v3", b"\xff" * 32),
        ("api_v3_key", "wechat-v3", b"hunter2!" * 4),
    ],
)
def test_a_secret_of_the_wrong_kind_is_named_and_not_shown(shop: Shop, key: str, name: str, content: bytes) -> None:
    with pytest.raises(SetupError) as told:
        create(section(table(shop.sim), secrets(shop.sim) | {name: content}))
    assert f"{key}: " in str(told.value) and "hunter2" not in str(told.value) and "BEGIN" not in str(told.value)
    assert told.value.__context__ is None or told.value.__suppress_context__


def test_a_shop_that_shows_no_codes_needs_no_address_for_notifications(shop: Shop) -> None:
    values = table(shop.sim) | {"shows": False}
    del values["notify_url"]
    shop.provider = create(section(values, secrets(shop.sim)))
    assert answer(shop.pay(order())) == YES


def test_a_private_key_in_the_older_form_will_do(shop: Shop) -> None:
    older = shop.sim.merchant.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    shop.provider = create(section(table(shop.sim), secrets(shop.sim) | {"wechat-key": older}))
    assert answer(shop.pay(order())) == YES


def test_the_whole_file_of_acquirers_is_read(shop: Shop, tmp_path: Path) -> None:
    lines = [f'{key} = "{value}"' for key, value in table(shop.sim).items()]
    text = "\n".join(("[[wallet]]", 'kind = "wechat"', "fee = 60", *lines))
    (tmp_path / "acquirers.toml").write_text(text)
    ledger = Ledger(tmp_path / "host.db")

    def secret(name: str) -> bytes:
        if name == "nobody":
            raise KeyMissing(name)
        return secrets(shop.sim)[name]

    _, wallets = configuration.load(tmp_path, ledger, secret)
    assert isinstance(wallets.wallets["wechat"].provider, WeChatPay) and wallets.wallets["wechat"].fee == 60
    (tmp_path / "acquirers.toml").write_text(text.replace('"wechat-key"', '"nobody"'))
    with pytest.raises(SetupError, match="acquirers.toml.*1: private_key"):
        configuration.load(tmp_path, ledger, secret)
    ledger.close()


def _certificate(place: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, place.name)])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    place.write_bytes(_pem(key) + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return place


def test_tls_is_checked_with_the_anchors_that_are_set_up(shop: Shop, tmp_path: Path) -> None:
    its, other = _certificate(tmp_path / "its.pem"), _certificate(tmp_path / "other.pem")
    sim = WeChatSimulator(shop.sim.merchant, shop.sim.platform, its).start()
    shop.provider = shop.make(url=sim.url, trust=str(its))
    assert shop.pay(order()).answer == YES and sim.books.held(order().reference) == 1250
    for trust in ({"trust": str(other)}, {}):
        shop.provider = shop.make(url=sim.url, **trust)
        assert shop.query(order()) == "fault: no valid answer: ConnectError"
    shop.provider = shop.make(url=sim.url.replace("127.0.0.1", "localhost"), trust=str(its))
    assert answer(shop.query(order())) == "fault"  # the certificate is for an address
    sim.stop()


def test_every_row_has_words_that_a_till_can_show_and_a_source() -> None:
    rows = [row for table in (codes.PAY, codes.STATES, codes.REFUND, codes.REFUND_STATES) for row in table.values()]
    assert len(rows) == 43
    for row in rows:
        for words in (row.words.en, row.words.zh):
            assert len(words.encode()) <= 60 and set(words) <= coverage.shown(), words
        assert bool(row.words.en) == bool(row.words.zh) and set(row.source) <= set("abcde") and row.source
        assert row.answer not in (NO, WAITING) or row.words.en or row.answer == WAITING
        assert row.answer != NO or row.code not in answers.NOT_FINAL | answers.YES
    assert all(key == codes.plain(key) for table in (codes.PAY, codes.REFUND) for key in table)


def test_no_is_said_only_by_codes_of_the_table(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each code of the service, and one that nobody knows."""
    every = {**codes.PAY, "SOMETHING_NEW": codes.Row(UNKNOWN, codes.NOTHING, "a")}
    for number, (code, row) in enumerate(every.items()):

        def refuse(*_: Any, code: str = code) -> Any:
            raise books.Refusal(400, code)

        monkeypatch.setattr(type(shop.sim.routes), "_pay", refuse)
        said = shop.pay(dataclasses.replace(order(), reference=f"{number:032x}"))
        assert (said.answer, said.their_code) == (row.answer, code) and (said.answer != NO or said.code == row.code)
    shop.sim.will(moods.UNSIGNED, "codepay")
    assert answer(shop.pay(order())) == "fault"
