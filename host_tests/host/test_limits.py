# SPDX-License-Identifier: MIT
"""Nobody shuts others out: idle connections, slow frames, floods of bad MACs, one certificate with many connections."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.host import certificates
from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Terminal
from host_tests.host.test_tls import CLOSED, closed
from tools.host.network import lines
from tools.host.network.conversation import Conversation
from tools.host.network.lines import Line, Lines
from tools.host.network.refusals import Refusals
from tools.host.network.tls import Peer
from tools.host.settings import Limits
from tools.host.wire.wire_log import WireLog
from tools.sim.host import Host

MANY = 10_000
# Opens connections from addresses of the loopback, says how many, and keeps them open until its input ends.
FLOOD = """
import resource, socket, sys
port, count, addresses, first = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100,) * 2)
lines = []
for number in range(count):
    line = socket.socket()
    line.settimeout(10)
    line.bind((f"127.1.{number % addresses // 200}.{number % addresses % 200 + 1}", 0))
    line.connect(("127.0.0.1", port))
    if first:
        try:
            line.send(bytes.fromhex("160301"))
        except OSError:
            pass
    lines.append(line)
print(len(lines), flush=True)
sys.stdin.read()
"""


TWO = IKID[:4] + b"TWO."  # initial key id of the second terminal


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """A function that starts a host with limits, two registered terminals and their certificates `one` and `two`."""
    hosts: list[Host] = []

    def begin(**limits: int) -> Host:
        host = Host(tmp_path, limits=Limits(**{"shutdown_seconds": 0, **limits}))
        hosts.append(host)
        for tid, name, ikid in (("KASSA001", "one", IKID), ("KASSA002", "two", TWO)):
            host.register(tid, "898000000000001", ikid.hex())
            certificates.make(tmp_path, name, host.authority, tid)
        return host.start()

    yield begin
    for host in hosts:
        host.stop()


def refusals(caplog: pytest.LogCaptureFixture, reason: str) -> list[dict[str, Any]]:
    found = [getattr(record, "fields", {}) for record in caplog.records]
    return [fields for fields in found if fields.get("reason") == reason]


def wait_for(what: Callable[[], object]) -> None:
    for _ in range(3000):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


@pytest.mark.on_sqlite("the connections end before the database")
@pytest.mark.parametrize(
    ("addresses", "first"), [(1, 0), (1, 1), (400, 0), (400, 1)], ids=["one", "one-speaks", "many", "many-speak"]
)
def test_ten_thousand_idle_connections_shut_nobody_out(
    start: Callable[..., Host], card: Card, addresses: int, first: int
) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < MANY + 100:
        pytest.skip("this machine does not let a process have 10,000 connections")
    host = start(handshake_seconds=60)
    limit = host.listener.limits.handshakes_per_address if addresses == 1 else host.listener.limits.handshakes
    till = Terminal().connect(host.port, host.home, "one")
    assert till.ask(till.handshake()).code == "00"
    command = [sys.executable, "-c", FLOOD, str(host.port), str(MANY), str(addresses), str(first)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as flood:
        assert flood.stdout and flood.stdin
        assert flood.stdout.readline() == f"{MANY}\n"
        wait_for(
            lambda: sum(count for name, count in host.counters.items() if name.startswith("handshakes")) + limit >= MANY
        )
        assert host.listener.lines.waiting <= limit
        assert till.ask(till.sale(till.record(500, card.tap(500)))).code == "00", "a connection that is open"
        other = Terminal(b"KASSA002", ikid=TWO).connect(host.port, host.home, "two")
        assert other.ask(other.handshake()).code == "00", "a new connection"
        same = Terminal(b"KASSA002", counter=50, ikid=TWO).connect(host.port, host.home, "two", source="127.1.0.1")
        assert same.ask(same.handshake()).code == "00", "from the address of the flood"
        assert host.listener.lines.open == 3
        flood.stdin.close()
    for each in (till, other, same):
        each.hang_up()


def test_a_connection_that_says_nothing_and_one_that_stops_in_tls_end(start: Callable[..., Host]) -> None:
    host = start(handshake_seconds=1)
    for first in (b"", bytes.fromhex("1603010200")):
        with socket.create_connection(("127.0.0.1", host.port), 10) as line:
            line.sendall(first)
            assert line.recv(1) == b""
    wait_for(lambda: host.listener.lines.waiting == 0)
    assert host.counters["slow_handshake"] == 2


def test_a_frame_that_trickles_in_is_not_waited_for(
    start: Callable[..., Host], card: Card, caplog: pytest.LogCaptureFixture
) -> None:
    host = start(frame_seconds=1)
    till = Terminal().connect(host.port, host.home, "one")
    assert till.ask(till.handshake()).code == "00"
    frame = till.sale(till.record(500, card.tap(500)))
    with pytest.raises(CLOSED):
        for byte in frame:  # 0.05 s each: some 20 s for all of it
            till.send(bytes((byte,)))
            time.sleep(0.05)
        till.receive()
    assert host.counters["slow_frame"] == 1 and host.view()["payments"] == []
    assert len(refusals(caplog, "slow_frame")) == 1


def test_whole_frames_may_follow_each_other_for_longer_than_one_may_take(start: Callable[..., Host]) -> None:
    host = start(frame_seconds=2)
    till = Terminal().connect(host.port, host.home, "one")
    frames = [till.handshake() for _ in range(25)]
    for frame, following in zip(frames[:-1], frames[1:], strict=True):  # 3.6 s; half a frame is always waiting
        till.send(frame[-20:] if frame is not frames[0] else frame, following[:-20])
        assert till.receive().code == "00"
        time.sleep(0.15)
    till.hang_up()
    assert "slow_frame" not in host.counters


def test_an_idle_connection_ends(start: Callable[..., Host], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    host = start(idle_seconds=5)
    object.__setattr__(host.listener.limits, "idle_seconds", 1)
    till = Terminal().connect(host.port, host.home, "one")
    assert till.ask(till.handshake()).code == "00"
    assert closed(till) and len(refusals(caplog, "idle")) == 1


def test_a_flood_of_bad_macs_is_hung_up_on_and_logged_once(
    start: Callable[..., Host], card: Card, caplog: pytest.LogCaptureFixture
) -> None:
    host = start(bad_macs=5)
    till = Terminal().connect(host.port, host.home, "one")
    bad = bytearray(till.sale(till.record(500, card.tap(500))))
    bad[-1] ^= 1
    with pytest.raises(CLOSED):
        for _ in range(3000):
            till.send(bytes(bad) * 10)
        till.receive()
    assert host.counters["bad_mac"] == 5 and host.counters["bad_macs"] == 1
    assert len(refusals(caplog, "bad_mac")) == 1, "one line for all of them"
    till.connect(host.port, host.home, "one")
    assert till.ask(till.handshake()).code == "00"
    till.hang_up()


def test_good_frames_before_the_last_bad_mac_are_answered(start: Callable[..., Host], card: Card) -> None:
    host = start(bad_macs=1)
    till = Terminal().connect(host.port, host.home, "one")
    good = till.sale(till.record(500, card.tap(500)))
    bad = bytearray(till.sale(till.record(600, card.tap(600))))
    bad[-1] ^= 1
    till.send(good + bytes(bad) + till.handshake())
    assert till.receive().code == "00"
    assert closed(till)
    assert [one["amount"] for one in host.view()["payments"]] == [500]


def test_one_certificate_with_many_connections_loses_its_own(start: Callable[..., Host], card: Card) -> None:
    """Its oldest end; another terminal is served, also where the host as a whole is full."""
    host = start(connections=5, connections_per_terminal=3)
    other = Terminal(b"KASSA002", ikid=TWO).connect(host.port, host.home, "two")
    assert other.ask(other.handshake()).code == "00"
    mine = [Terminal(counter=100 * number).connect(host.port, host.home, "one") for number in range(8)]
    wait_for(lambda: host.counters["connections_of_terminal"] == 5)
    assert [closed(each) for each in mine[:5]] == [True] * 5
    assert host.listener.lines.open == 4
    assert mine[7].ask(mine[7].handshake()).code == "00"
    assert other.ask(other.sale(other.record(500, card.tap(500)))).code == "00"
    for each in (*mine, other):
        each.hang_up()


def test_more_certificates_than_connections_end_the_longest_idle(start: Callable[..., Host]) -> None:
    host = start(connections=1)
    first = Terminal().connect(host.port, host.home, "one")
    assert first.ask(first.handshake()).code == "00"
    second = Terminal(b"KASSA002", ikid=TWO).connect(host.port, host.home, "two")
    assert second.ask(second.handshake()).code == "00"
    assert closed(first) and host.counters["connections"] == 3  # two, and the one that ended for the other
    second.hang_up()


def peer(terminal: str) -> Peer:
    return Peer(terminal, 1, certificates.now())


def books(**limits: int) -> tuple[Lines, Counter[str], list[Line]]:
    dropped: Counter[str] = Counter()
    ended: list[Line] = []
    return Lines(Limits(**limits), lambda reason, line: dropped.update([reason])), dropped, ended


def line(ended: list[Line], address: str = "10.0.0.1") -> Line:
    made = Line(address, lambda: ended.append(made))
    return made


def test_a_connection_that_is_being_answered_ends_for_nobody() -> None:
    kept, dropped, ended = books(connections_per_terminal=2)
    busy = [line(ended) for _ in range(2)]
    for each in busy:
        assert kept.arrive(each) and kept.secured(each, peer("KASSA001"))
        each.busy = True
    third = line(ended)
    assert kept.arrive(third) and not kept.secured(third, peer("KASSA001"))
    busy[1].busy = False
    assert kept.arrive(third) and kept.secured(third, peer("KASSA001"))
    assert ended == [busy[1]] and dropped == {"connections_of_terminal": 1}
    busy[0].end("stopping")
    assert busy[0].ending and ended == [busy[1]], "it is answered first"


def test_the_address_with_the_most_connections_in_tls_loses_the_oldest() -> None:
    kept, _, ended = books(handshakes=4, handshakes_per_address=4)
    flood = [line(ended, "10.0.0.1") for _ in range(3)]
    for each in (*flood, line(ended, "10.0.0.2"), line(ended, "10.0.0.3"), line(ended, "10.0.0.4")):
        assert kept.arrive(each)
    assert ended == flood[:2] and kept.waiting == 4


def test_an_address_with_its_share_of_connections_gets_no_more() -> None:
    kept, dropped, ended = books(connections_per_address=2, connections_per_terminal=9)
    through = [line(ended), line(ended)]
    for each in through:
        assert kept.arrive(each) and kept.secured(each, peer("KASSA001"))
    assert not kept.arrive(line(ended)) and kept.arrive(line(ended, "10.0.0.2"))
    kept.leave(through[0])
    assert kept.arrive(line(ended)), "one has ended"
    assert kept.arrive(line(ended)), "the one that still waits ends for it"
    assert dropped == {"connections_of_address": 1} and kept.waiting == 2


def test_a_line_that_left_is_not_counted_twice() -> None:
    kept, _, ended = books()
    one = line(ended)
    kept.arrive(one)
    kept.secured(one, peer("KASSA001"))
    kept.leave(one)
    kept.leave(one)
    assert (kept.waiting, kept.open, list(kept)) == (0, 0, [])


def test_a_subscriber_of_ipv6_is_one_address() -> None:
    assert lines.group("2001:db8:1:2:3::4") == lines.group("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert lines.group("2001:db8:1:3::4") != lines.group("2001:db8:1:2::4")
    assert lines.group("::ffff:10.0.0.1") == lines.group("10.0.0.1") == "10.0.0.1"
    assert lines.group("fe80::1%eth0") == "fe80::/64" and lines.group("") == ""


def test_refusals_are_logged_once_a_minute_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    at = [0.0]
    counters: Counter[str] = Counter()
    noted = Refusals(counters, lambda: at[0])
    for _ in range(100):
        noted.note("garbage", address="10.0.0.1")
    noted.note("idle")
    noted.say_counts()
    assert [one["count"] for one in refusals(caplog, "garbage")] == [1]
    at[0] = 61.0
    noted.say_counts()
    noted.say_counts()
    assert [one["count"] for one in refusals(caplog, "garbage")] == [1, 99] and len(refusals(caplog, "idle")) == 1
    at[0] = 130.0
    noted.note("garbage")
    noted.note("garbage")
    noted.say_counts(all_of_them=True)
    assert [one["count"] for one in refusals(caplog, "garbage")] == [1, 99, 1, 1]
    assert counters == {"garbage": 102, "idle": 1} == noted.by_reason


class Unread(asyncio.StreamWriter):
    """To a peer that reads nothing."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    async def drain(self) -> None:
        await asyncio.Event().wait()

    def __del__(self) -> None:
        pass


def test_a_terminal_that_does_not_read_its_answers_is_hung_up_on(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.register("KASSA001", "898000000000001", IKID.hex())
    noted, writer = Refusals(Counter()), Unread()
    talk = Conversation(host.service, WireLog(None), Limits(answer_seconds=1), noted, float)
    till = Terminal()

    async def held() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(till.handshake() + till.handshake())
        await talk.hold(Line("10.0.0.1", lambda: None, peer("KASSA001")), reader, writer)

    asyncio.run(held())
    host.stop()
    assert noted.by_reason == {"answers_not_read": 1} and len(writer.sent) == 1
