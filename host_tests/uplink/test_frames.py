# SPDX-License-Identifier: MIT
"""Every frame the terminal sends, read by pyiso8583 with the host's table, its MAC recomputed with `cryptography`."""

from __future__ import annotations

import iso8583
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from host_tests.harness.uplink.till import Till, TinyHost, track, working
from kassa import VERSION
from tools.host.keys import seal
from tools.host.keys.host_keys import TestKeys
from tools.host.wire import codec, kinds
from tools.host.wire.message import Message

ROWS = {
    "online sale": ("0200", "22", "000", "07 2"),
    "deferred sale": ("0200", "70", "000", "07 2"),
    "cash": ("0220", "71", "000", "00 2"),
    "void entry": ("0220", "72", "000", "07 2"),
    "reversal": ("0400", "22", "000", "07 2"),
    "void": ("0200", "23", "000", "00 2"),
    "refund": ("0220", "25", "000", "07 2"),
    "balance": ("0200", "01", "000", "07 2"),
    "pre-authorisation": ("0100", "10", "000", "07 2"),
    "pre-authorisation cancel": ("0100", "11", "000", "07 2"),
    "completion": ("0200", "20", "000", "07 2"),
    "completion void": ("0200", "21", "000", "00 2"),
    "completion advice": ("0220", "24", "000", "07 2"),
    "voice sale": ("0220", "30", "000", "07 2"),
    "adjustment": ("0220", "32", "000", "00 2"),
    "tip": ("0220", "34", "000", "00 2"),
    "code refund": ("0220", "76", "000", "00 2"),
    "cash refund": ("0220", "77", "000", "00 2"),
    "code, shown": ("0200", "75", "000", "03 2"),
    "upload, paid": ("0320", "22", "205", "07 2"),
    "upload, not paid": ("0320", "22", "206", "07 2"),
    "batch close": ("0500", "00", "201", ""),
    "upload end": ("0320", "00", "202", ""),
    "handshake": ("0800", "00", "900", ""),
}
PROCESS = {
    "void": "200000", "refund": "200000", "balance": "310000", "pre-authorisation": "030000",
    "pre-authorisation cancel": "200000", "completion void": "200000",
    "code refund": "200000", "cash refund": "200000",
}  # fmt: skip
LATER = ("pre-authorisation", "pre-authorisation cancel", "completion", "completion void", "completion advice")  # DE 25
ABOUT = {
    "void": 0x22,
    "completion void": 0x20,
    "adjustment": 0x30,
    "tip": 0x22,
    "code refund": 0x75,
    "cash refund": 0x71,
}  # the kind of payment that each names
ADVICES = ("completion advice", "voice sale", "adjustment", "tip", "cash refund")
PAYMENT = {3, 4, 11, 22, 25, 41, 42, 49, 53, 60, 62, 63, 64}
ELEMENTS = {
    "reversal": PAYMENT | {39, 61},
    **{kind: PAYMENT | {61} for kind in (*ABOUT, "upload, paid", "upload, not paid")},
    "upload end": {11, 41, 42, 48, 49, 53, 60, 63, 64},
    "batch close": {11, 41, 42, 48, 49, 53, 60, 63, 64},
    "handshake": {11, 41, 42, 53, 60, 62, 63, 64},
}


def request(till: Till, host: TinyHost, kind: str) -> Message:
    """One request of this kind, built by the courier."""
    if kind == "handshake":
        return host.connect()
    host.connect()
    if kind == "online sale":
        till.intent(123_456, track(1))
    elif kind == "deferred sale":
        till.sell(123_456, track(1))
    elif kind == "cash":
        till.cash(123_456)
    elif kind == "void entry":
        till.unsent(till.intent(123_456, track(1)), 123_456, track(1), False)
    elif kind == "reversal":
        till.intent(123_456, track(1))
        (sale,) = host.pull()
        till.feed(host.answer(sale, "96").hex())
    elif kind.startswith("upload") or kind == "batch close":
        return closing(till, host, kind)
    else:
        return other(till, host, kind)
    (found,) = host.pull()
    return found


def other(till: Till, host: TinyHost, kind: str) -> Message:
    """A request or advice from the menu, after the payment that it names was settled."""
    original = 0
    if kind in ABOUT:
        original = till.ask(ABOUT[kind], 123_456, track(1))
        (named,) = host.pull()
        till.feed(host.answer(named).hex())
    number = int(ROWS[kind][1], 16)
    card = "" if original or kind == "code, shown" else track(1)
    (till.advise if kind in ADVICES else till.ask)(number, 123_456, card, original)
    (found,) = host.pull()
    return found


def closing(till: Till, host: TinyHost, kind: str) -> Message:
    """The close, upload record or upload end of a batch with one sale."""
    till.intent(123_456, track(1))
    (sale,) = host.pull()
    till.feed(host.answer(sale, "51" if kind == "upload, not paid" else "00").hex())
    till.close()
    (close,) = host.pull()
    if kind == "batch close":
        return close
    till.feed(host.answer(close, _48=close.fields["48"][:30] + "2" + "0" * 30 + "1").hex())
    (record,) = host.pull()
    if kind != "upload end":
        return record
    till.feed(host.answer(record).hex())
    (end,) = host.pull()
    return end


@pytest.mark.parametrize("kind", ROWS)
def test_a_frame_has_the_elements_and_values_of_the_table(till: Till, host: TinyHost, kind: str) -> None:
    sent = request(till, host, kind)
    mti, form, network, entry = ROWS[kind]
    fields = sent.fields
    assert {int(name) for name in fields if name.isdecimal()} == ELEMENTS.get(kind, PAYMENT)
    assert (fields["h"], sent.mti) == ("6000030000613100000100", mti)
    assert fields["60"][:2] == form and fields["60"][2:8] == "000001" and fields["60"][8:11] == network
    assert (fields["41"], fields["42"]) == ("KASSA001", "898000000000001")
    assert fields["63"][:6] == b"01 ".hex() and len(sent.uid) == 16
    if kind in ("batch close", "handshake", "upload end"):
        assert len(fields["60"]) == 11
        return
    assert fields["60"][11:] == "600"
    process, condition = PROCESS.get(kind, "000000"), "06" if kind in LATER else "00"
    assert (fields["3"], fields["4"], fields["25"], fields["49"]) == (process, "000000123456", condition, "156")
    assert fields["22"] == entry.replace(" ", "")
    record = sent.record
    assert record is not None and sent.uid == record.uid and sent.stan == record.stan
    assert record.raw.hex() == till.record(record.sequence)[: 2 * seal.SIZE], "the sealed record travels unchanged"
    if kind == "reversal":
        assert (fields["39"], fields["61"]) == ("98", record.batch + record.stan)
    elif kind in ABOUT:
        assert fields["61"][:6] == record.batch and fields["61"][6:] == till.record(1)[64:70]
    elif kind.startswith("upload"):
        assert fields["61"] == record.batch + record.stan


@pytest.mark.parametrize("kind", ROWS)
def test_the_mac_is_an_aes_cmac_over_everything_before_it(till: Till, host: TinyHost, kind: str) -> None:
    sent = request(till, host, kind)
    mac = CMAC(AES(working(sent, 0x2000)))
    mac.update(sent.frame[5:-8])
    assert mac.finalize()[:8] == sent.frame[-8:] == bytes.fromhex(sent.fields["64"])
    assert sent.frame[-16:-8] in sent.frame[5:-8]


@pytest.mark.parametrize("kind", ROWS)
def test_pyiso8583_encodes_the_same_bytes(till: Till, host: TinyHost, kind: str) -> None:
    sent = request(till, host, kind)
    again, _ = iso8583.encode({**sent.fields}, codec.SPEC)
    assert bytes(again) == sent.frame


def test_every_kind_of_record_is_in_the_table() -> None:
    shown = {form for _, form, _, _ in ROWS.values()}
    assert shown >= set(kinds.KINDS) - {
        kinds.OFFLINE_SALE,
        kinds.QR_SCANNED,
    }  # 73 and 74 differ from 70 and 75 only in their codes


def test_body_and_message_never_share_a_ksn(till: Till, host: TinyHost) -> None:
    till.sells(20)
    host.connect()
    host.settle()
    bodies = [sent.record.counter for sent in host.seen if sent.record]
    messages = [sent.counter for sent in host.seen]
    assert len(bodies) == 20 and not set(bodies) & set(messages) and len(set(messages)) == 21


def test_the_handshake_reports_the_head_of_the_journal(till: Till, host: TinyHost) -> None:
    fresh = host.connect()
    assert fresh.body.hex() == "01" + "0001" + "00000000" + "00" * 8 + "0000" + VERSION.encode().hex()
    till.lost()
    till.sells(3)
    later = host.connect()
    assert later.body[:7].hex() == "01" + "0001" + "00000003"
    record = seal.parse(bytes.fromhex(till.record(3))[: seal.SIZE])
    assert later.body[7:15] == record.seal_tag and later.body[15:17] == b"\x00\x03"
    assert later.uid != fresh.uid and later.stan != fresh.stan


def test_the_chain_links_every_record_to_the_one_before(till: Till, host: TinyHost) -> None:
    till.sells(4)
    till.restart()
    till.sells(2)
    host.connect()
    records = [sent.record for sent in host.settle()]
    tags = [bytes(8)] + [record.seal_tag for record in records]
    assert [record.previous_tag for record in records] == tags[:-1]
    ikid = bytes.fromhex("1234567890123456")
    assert all(seal.holds(record, seal.recomputed_tag(record, TestKeys(), ikid)) for record in records)
