# SPDX-License-Identifier: MIT
"""Invalid bytes are counted and bounded, and never stop the host."""

import os
import socket
import ssl
import struct

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from tools.sim.host import Host


def closes_on(host: Host, data: bytes) -> bool:
    """Whether the host closes the connection on these bytes and counts them as garbage."""
    till = Terminal(counter=500_000 + int.from_bytes(os.urandom(2), "big")).connect(host.port, host.home)
    till.send(data)
    with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        till.receive()
    before = host.counters["garbage"]
    till.hang_up()
    return before > 0


def sale_frame(till: Terminal, card: Card) -> bytes:
    return till.sale(till.record(100, card.tap(100)))


def test_impossible_frame_lengths_close_the_connection(host: Host, till: Terminal) -> None:
    for length in (0, 1, 20, 2049, 0xFFFF):
        assert closes_on(host, struct.pack(">H", length) + bytes(64))


def test_every_truncation_of_a_frame_is_refused(host: Host, till: Terminal, card: Card) -> None:
    frame = sale_frame(till, card)[2:]
    cut = [frame[:size] for size in range(21, len(frame), 16)]
    for short in cut:
        assert closes_on(host, till.wrap(short))
    assert host.view()["payments"] == [] and len(cut) > 20


def test_wrong_bitmaps_close_the_connection(host: Host, till: Terminal, card: Card) -> None:
    frame = bytearray(sale_frame(till, card)[2:])
    for bit in range(64):
        other = bytearray(frame)
        other[13 + bit // 8] ^= 0x80 >> bit % 8
        assert closes_on(host, till.wrap(bytes(other)))
    assert host.view()["payments"] == []


def test_invalid_digits_close_the_connection(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(100, card.tap(100))
    for replace in ({"de_4": bytes.fromhex("00000000010A")}, {"de_22": b"\x07\x2f"}, {"de_49": b"15\xb2"}):
        assert closes_on(host, till.sale(record, **replace))


def test_wrong_headers_and_message_types_close_the_connection(host: Host, till: Terminal, card: Card) -> None:
    frame = bytearray(sale_frame(till, card)[2:])
    for at, value in ((0, 0x61), (5, 0x60), (6, 0x32), (11, 0x01), (12, 0x10)):
        other = bytearray(frame)
        other[at] = value
        assert closes_on(host, till.wrap(bytes(other)))


def test_noise_closes_the_connection(host: Host, till: Terminal) -> None:
    for size in (2, 100, 3000):
        assert closes_on(host, b"\xff" + os.urandom(size))
    assert closes_on(host, b"GET / HTTP/1.1\r\nHost: kassa-host.test\r\n\r\n")


def test_good_frames_before_bad_ones_are_answered(host: Host, till: Terminal, card: Card) -> None:
    till.send(sale_frame(till, card) + b"\0\0")
    assert till.receive().code == "00"
    with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        till.receive()


def test_a_frame_sent_byte_by_byte_is_answered(till: Terminal, card: Card) -> None:
    frame = sale_frame(till, card)
    for byte in frame[:-1]:
        till.send(bytes((byte,)))
    assert till.ask(frame[-1:]).code == "00"


def test_bad_mac_is_counted_and_gets_no_answer(host: Host, till: Terminal, card: Card) -> None:
    frame = bytearray(sale_frame(till, card))
    frame[-1] ^= 1
    till.send(bytes(frame))
    assert sale_answer(till, card) == "00"
    assert host.counters["bad_mac"] == 1 and len(host.view()["payments"]) == 1


def test_replayed_frame_is_counted_and_gets_no_answer(host: Host, till: Terminal, card: Card) -> None:
    frame = sale_frame(till, card)
    assert till.ask(frame).code == "00"
    till.send(frame)
    assert sale_answer(till, card) == "00"
    assert host.counters["stale_ksn"] == 1 and len(host.view()["payments"]) == 2


def sale_answer(till: Terminal, card: Card) -> str:
    return till.ask(sale_frame(till, card)).code


def test_a_client_without_a_certificate_is_not_served(host: Host, till: Terminal) -> None:
    context = ssl.create_default_context(cafile=str(host.home / "ca.pem"))
    plain = socket.create_connection(("127.0.0.1", host.port), 10)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        line = context.wrap_socket(plain, server_hostname="kassa-host.test")
        line.sendall(till.handshake())
        assert not line.recv(1), "served without a certificate"
        raise ConnectionError
    plain.close()
    assert till.ask(till.handshake()).code == "00"


def test_plain_text_on_the_tls_port_does_not_stop_the_host(host: Host, till: Terminal) -> None:
    with socket.create_connection(("127.0.0.1", host.port), 10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while plain.recv(4096):
            pass
    assert till.ask(till.handshake()).code == "00"
