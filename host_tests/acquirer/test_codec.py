# SPDX-License-Identifier: MIT
"""Messages and their MACs against a second implementation and published vectors; garbage; PIN blocks."""

from __future__ import annotations

import datetime
import tomllib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tests.harness.host.card import Card
from tools.host.acquirers.card import dialect, requests, translate
from tools.host.acquirers.card.codec import Codec, MacFault
from tools.host.errors import ProviderFault
from tools.host.keys.seal import read_tlv
from tools.sim.acquirer_wire import Wire, retail_mac, tdes

SHIPPED = ["cup-1987", "iso-1993"]
KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
SENT = 1_795_967_826_000  # 2026-11-29 15:57:06 UTC


def both(name: str) -> tuple[dialect.Dialect, Codec, Wire]:
    file = tomllib.loads((dialect.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    spoken = dialect.load(name)
    return spoken, Codec(spoken, KEY), Wire(file, KEY)


def values(spoken: dialect.Dialect, **more: object) -> dict[str, object]:
    tags = read_tlv(Card().tap(1250))
    given_ = {
        "amount": 1250,
        "currency": "156",
        "stan": "000007",
        "terminal": "KASSA001",
        "merchant": "898000000000001",
    }
    about = {"original_mti": "0200", "original_stan": "000006", "original_rrn": "633315000006", "rrn": "633315000007"}
    member = {"acquirer": "48020000", "acquirer_length": 8, "day": datetime.date(2026, 11, 29)}
    totals = {name: number for number, name in enumerate(dialect.TOTALS)}
    when = {**translate.times(SENT), **translate.times(SENT, "original_")}
    return {**translate.card_values(tags, spoken), **given_, **about, **member, **totals, **when, **more}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_message_is_read_alike_by_a_second_implementation(name: str) -> None:
    spoken, codec, wire = both(name)
    forms = [*spoken.transactions.values(), spoken.reversal, spoken.sign_on, spoken.echo, spoken.settlement]
    key = KEY if wire.has_mac else None
    for form in forms:
        fields = translate.render(form, spoken, values(spoken))
        frame = codec.encode(form.repeat or form.mti, fields, key)
        size = wire.length(frame[: wire.prefix])
        assert size == len(frame) - wire.prefix
        mti, elements, holds = wire.read(frame[wire.prefix :], key or b"")
        assert mti == (form.repeat or form.mti) and holds
        assert {str(number): value.upper() for number, value in elements.items()} == {
            number: value.upper() for number, value in fields.items()
        }, form.name
        again = codec.decode(wire.write(mti, elements, key or b""), key)
        assert {number: again[number].upper() for number in fields} == {n: v.upper() for n, v in fields.items()}
    assert len(forms) == 17


def test_the_bytes_of_a_sale_are_those_of_the_dialect() -> None:
    spoken, codec, _ = both("cup-1987")
    form = spoken.transactions["sale"]
    fields = translate.render(form, spoken, values(spoken))
    frame = codec.encode(form.mti, {**fields, "55": "9F2608" + "11" * 8, "12": "235706", "13": "1129"})
    parts = (
        "6000030000", "0200", "000000", "000000001250", "1129155706", "000007", "235706", "1129", "3112", "0720", "0001",
        "00", "0848020000", "374761730000000011D3112201" + "0" * 14, b"KASSA001".hex(), b"898000000000001".hex(),
        b"156".hex(), "0011", "9F2608" + "11" * 8,
    )  # fmt: skip
    assert frame[2:9].hex() == "".join(parts[:2])
    assert frame[17:].hex().upper() == "".join(parts[2:]).upper()
    bits = int.from_bytes(frame[9:17], "big")
    present = "3 4 7 11 12 13 14 22 23 25 32 35 41 42 49 55"
    assert " ".join(str(number) for number in range(1, 65) if bits >> (64 - number) & 1) == present
    assert int.from_bytes(frame[:2], "big") == len(frame) - 2


def test_the_mac_is_that_of_the_standard() -> None:
    data = b"Now is the time for all "  # ISO 9797-1, annex B: algorithm 3, padding method 1
    assert retail_mac(KEY, data).hex().upper() == "A1C72E74EA3FA9B6"
    spoken, codec, wire = both("cup-1987")
    fields = translate.render(spoken.echo, spoken, values(spoken))
    message = codec.encode("0800", fields, KEY)[2:]
    assert message[-8:] == retail_mac(KEY, message[5:-8])
    answer = wire.write("0810", {7: "1129155706", 11: "000007", 39: "00"}, KEY)
    assert codec.decode(answer, KEY)["39"] == "00"
    for at in range(len(answer)):
        changed = bytearray(answer)
        changed[at] ^= 0x01
        if at >= 5:  # the TPDU is not covered
            with pytest.raises(ProviderFault):
                codec.decode(bytes(changed), KEY)
    with pytest.raises(MacFault):
        codec.decode(wire.write("0810", {7: "1129155706", 11: "000007", 39: "00"}), KEY)


@pytest.mark.parametrize("name", SHIPPED)
@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
@settings(max_examples=300, deadline=None)
def test_garbage_is_a_fault_and_nothing_else(name: str, data: bytes, cut: int) -> None:
    spoken, codec, wire = both(name)
    real = wire.write(spoken.echo.answer, {7: "1129155706", 11: "000007", 39: "00" if name == "cup-1987" else "800"})
    for message in (data, real[:cut] + data, data + real[cut:]):
        try:
            fields = codec.decode(message)
        except ProviderFault:
            continue
        assert fields["t"].isdecimal() and len(fields["t"]) == 4
        assert all(fields.get(number, "0").isdecimal() for number in ("3", "4", "7", "11"))


@pytest.mark.parametrize("name", SHIPPED)
@given(prefix=st.binary(min_size=4, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_length_is_one_that_a_message_can_have_or_a_fault(name: str, prefix: bytes) -> None:
    framing = dialect.load(name).framing
    try:
        length = framing.length(prefix[: framing.size])
    except ValueError:
        return
    assert 10 <= length <= framing.most
    assert framing.wrap(bytes(length))[: framing.size] == prefix[: framing.size]


def test_a_pin_block_goes_from_the_terminal_s_key_to_the_acquirer_s() -> None:
    """ISO 9564 format 0: PIN 1234 and card 43219876543210987 give 0412AC89ABCDEF67 (a published example)."""
    card, pin_key = "43219876543210987", bytes(range(16))
    aes = Cipher(algorithms.AES(pin_key), modes.ECB())
    pin_field = bytes.fromhex("441234" + "A" * 10 + "1122334455667788")  # format 4: control, length, PIN, fill, random
    pan_field = bytes.fromhex(f"{len(card) - 12}{card}".ljust(32, "0"))
    inner = aes.encryptor().update(pin_field)
    block = aes.encryptor().update(bytes(a ^ b for a, b in zip(inner, pan_field, strict=True)))
    tags = {"57": bytes.fromhex(f"{card}D3112201F")}
    assert tdes(KEY, translate.pin_block(block, pin_key, KEY, tags), decrypt=True).hex().upper() == "0412AC89ABCDEF67"
    with pytest.raises(ProviderFault) as raised:
        translate.pin_block(block, bytes(16), KEY, tags)
    assert "1234" not in str(raised.value)


def test_days_of_answers_are_near_the_time_of_the_request() -> None:
    new_year = int(datetime.datetime(2027, 1, 1, 0, 30).timestamp() * 1000)
    assert requests.day_of(new_year, "1231", "%m%d") == "2026-12-31"
    assert requests.day_of(new_year, "0101", "%m%d") == "2027-01-01"
    assert requests.day_of(new_year, "", "%m%d") == "2027-01-01"
    assert requests.day_of(new_year, "270102", "%y%m%d") == "2027-01-02"
    leap = int(datetime.datetime(2028, 2, 29, 12).timestamp() * 1000)
    assert requests.day_of(leap, "0229", "%m%d") == "2028-02-29"
    for text in ("1331", "abcd", "0"):
        with pytest.raises(ValueError):
            requests.day_of(new_year, text, "%m%d")
