# SPDX-License-Identifier: MIT
"""Invoices as BOLT 11 writes them, amounts by a rate, and the words of every outcome."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tests.harness.lightning import real_server
from tools.host.acquirers.lightning import words
from tools.host.acquirers.lightning.invoice import NETWORKS, Invoice, checksum, read
from tools.host.acquirers.lightning.price import CNY, SAT, Price, Rate, fee
from tools.host.acquirers.provider import NO, UNKNOWN
from tools.host.errors import ProviderFault
from tools.host.tables import coverage
from tools.host.wire import answers
from tools.sim import bolt11

HASH = "0001020304050607080900010203040506070809000102030405060708090102"
# BOLT 11, "Examples": a coffee for 2500 micro-bitcoin within a minute, and a donation of any amount.
COFFEE = (
    "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpuaztrnwngzn3"
    "kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspfj9srp"
)
DONATION = (
    "lnbc1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8"
    "g6rfwvs8qun0dfjkxaq8rkx3yf5tcsyz3d73gafnh3cax9rn449d9p5uxz9ezhhypd0elx87sjle52x86fux2ypatgddc6k63n7erqz25le42c4u4e"
    "cky03ylcqca784w"
)


def test_the_examples_of_the_specification_are_read() -> None:
    assert read(COFFEE) == read(COFFEE.upper()) == Invoice("bc", 250_000_000, HASH, 1_496_314_658, 60)
    assert read(DONATION) == Invoice("bc", 0, HASH, 1_496_314_658, 3600)


@given(
    amount=st.integers(0, 10**15), made=st.integers(0, 2**35 - 1), expiry=st.none() | st.integers(0, 2**34),
    network=st.sampled_from(NETWORKS), hints=st.integers(0, 4), memo=st.text(max_size=40),
)  # fmt: skip
def test_what_is_written_is_read(
    amount: int, made: int, expiry: int | None, network: str, hints: int, memo: str
) -> None:
    text = bolt11.write(amount, HASH, made, expiry, memo, network, hints)
    assert read(text) == Invoice(network, amount, HASH, made, 3600 if expiry is None else expiry)


@settings(max_examples=300)
@given(at=st.integers(0, len(COFFEE) - 1), letter=st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio-é１"))
def test_no_letter_can_be_changed(at: int, letter: str) -> None:
    changed = COFFEE[:at] + letter + COFFEE[at + 1 :]
    if changed != COFFEE:
        with pytest.raises(ProviderFault):
            read(changed)


@given(st.text(max_size=300) | st.text("lnbc1qpzry9x8gf2tvdw0s3jn54khce6mua7u", max_size=300))
def test_anything_else_is_a_fault(text: str) -> None:
    with pytest.raises(ProviderFault):
        read(text)


def test_an_invoice_that_is_cut_or_mixed_or_empty_is_a_fault() -> None:
    for text in (COFFEE[:-1], COFFEE[:40], COFFEE[:20].upper() + COFFEE[20:], "", "1", "lnbc1", "lnbc" + "1" * 200):
        with pytest.raises(ProviderFault):
            read(text)
    with pytest.raises(ProviderFault, match="part of a millisatoshi"):
        read(rewritten("lnbc25p"))
    with pytest.raises(ProviderFault):
        read("lnbc1" + "q" * 10**6)


def rewritten(head: str) -> str:
    """A whole invoice under another head."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    data = [letters.index(letter) for letter in COFFEE.rpartition("1")[2][:-6]]
    check = checksum(head, data + [0] * 6) ^ 1
    return (
        head + "1" + "".join(letters[word] for word in [*data, *(check >> shift & 31 for shift in range(25, -1, -5))])
    )


@pytest.mark.skipif(bool(real_server.lacking()), reason=real_server.lacking() or "it is there")
def test_what_the_library_of_the_real_server_writes_is_read() -> None:
    asked = [(amount, expiry) for amount in (1000, 1_250_000, 10**11, 7, 123_456_789_000) for expiry in (1, 100, 10**6)]
    command = [str(real_server.PYTHON), "-c", _WRITES]
    done = subprocess.run(command, input=json.dumps([HASH, asked]), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    wanted = [Invoice("bc", amount, HASH, 1_800_000_000, expiry) for amount, expiry in asked]
    assert [read(text) for text in json.loads(done.stdout)] == wanted


_WRITES = """
import json, sys
from bolt11 import Bolt11, MilliSatoshi, Tags, encode
hashed, asked = json.load(sys.stdin)
def one(amount, expiry):
    tags = {"payment_hash": hashed, "payment_secret": "11" * 32, "description": "tea", "expire_time": expiry}
    made = Bolt11(currency="bc", amount_msat=MilliSatoshi(amount), date=1800000000, tags=Tags.from_dict(tags))
    return encode(made, "22" * 32)
print(json.dumps([one(*each) for each in asked]))
"""


@pytest.mark.parametrize(
    "rate, fen, satoshi",
    [
        ("100", 1250, 1250), ("142.86", 1250, 1786), ("142.84", 1250, 1786), ("142.8", 1250, 1785), ("0.5", 100, 1),
        ("0.49", 100, 0), ("0.000001", 10**12, 10_000), ("1", 50, 1), ("1", 49, 0), ("1", 0, 0),
    ],
)  # fmt: skip
def test_an_amount_is_whole_satoshi_rounded_half_up(rate: str, fen: int, satoshi: int) -> None:
    price = Price(SAT, Rate.read(rate), Rate.read(rate))
    assert price.asked(fen) == satoshi
    assert price.fits(fen, satoshi * 1000) == (satoshi > 0)
    assert not any(price.fits(fen, satoshi * 1000 + off) for off in (-1000, -1, 1, 1000))


def test_in_yuan_the_server_is_held_to_the_limits() -> None:
    price = Price(CNY, Rate.read("135.5"), Rate.read("150"))
    assert [price.asked(fen) for fen in (1250, 5, 100_000_00)] == ["12.50", "0.05", "100000.00"]
    fits = [satoshi for satoshi in range(1600, 1900) if price.fits(1250, satoshi * 1000)]
    assert fits == list(range(1693, 1876))
    assert not price.fits(1250, 1_700_500) and not price.fits(1250, -1_700_000) and not price.fits(0, 0)


def test_a_fee_is_in_fen_rounded_half_up() -> None:
    assert [fee(1250, kept, 1_250_000) for kept in (0, 499, 500, 1000, 12_500)] == [0, 0, 1, 1, 13]


def test_every_outcome_is_said_in_both_languages_and_fits_the_till() -> None:
    table = words.everything()
    assert len(table) > 15
    for name, (answer, code, said) in table.items():
        for text in (said.en, said.zh):
            assert 0 < len(text.encode()) <= 60 and set(text) <= coverage.shown(), name
        if answer == NO:
            assert code not in answers.NOT_FINAL | answers.YES, name
    unknown = words.outcome("418")
    assert (unknown.answer, unknown.words.en, unknown.their_code) == (UNKNOWN, "", "418")
