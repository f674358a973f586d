# SPDX-License-Identifier: MIT
"""What a handler, the database, the wire log or the log itself does never fails the port, and never says card data."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import queue
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Terminal
from host_tests.host.test_limits import refusals, wait_for
from host_tests.host.test_tls import CLOSED, closed
from tools.host.keys import pki
from tools.host.outside.issuer import Decision, Payment
from tools.host.running import logs
from tools.host.settings import Limits, Log
from tools.host.transactions import payments, terminals
from tools.host.wire import codec
from tools.host.wire.wire_log import WireLog
from tools.sim.host import Host

PAN = "4761730000000011"
POISON = 66600


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment of 666.00 makes its handler fail, with a card number in what it says."""
    judge = payments.judge

    def fails(request: Any, *others: Any) -> Any:
        if request.message.fields["4"].lstrip("0") == str(POISON):
            raise ZeroDivisionError(f"card {PAN}")
        return judge(request, *others)

    monkeypatch.setattr(payments, "judge", fails)  # alone or in a window with others: each is judged here


def silent_about_the_card(caplog: pytest.LogCaptureFixture) -> bool:
    stream = io.StringIO()
    for form in (logs.JsonLines(), logs.Lines()):
        stream.writelines(form.format(record) + "\n" for record in caplog.records)
    return bool(stream.getvalue()) and PAN not in stream.getvalue()


def test_a_payment_whose_handler_fails_gets_96_and_holds_up_nobody(
    host: Host, till: Terminal, card: Card, poison: None, caplog: pytest.LogCaptureFixture
) -> None:
    record = till.record(POISON, card.tap(POISON))
    assert till.ask(till.sale(record, deferred=True)).code == "96"
    assert till.ask(till.sale(till.record(500, card.tap(500)))).code == "00"
    assert till.ask(till.reversal(record, "70")).code in ("00", "25"), (
        "the line goes on, and so does that record's reversal"
    )
    said = [record for record in caplog.records if getattr(record, "event", "") == "a message breaks its handler"]
    assert [record.fields["fault"].partition(":")[0] for record in said] == ["ZeroDivisionError at test_faults.py"]
    assert host.counters["broken"] == 1 and silent_about_the_card(caplog)


def test_in_a_queue_it_is_one_payment_that_fails_and_the_others_are_settled(
    host: Host, till: Terminal, card: Card, poison: None
) -> None:
    amounts = (100, POISON, 300)
    records = [till.record(amount, card.tap(amount)) for amount in amounts]
    till.send(b"".join(till.sale(record, deferred=True) for record in records))
    assert [till.receive().code for _ in records] == ["00", "96", "00"]
    assert sorted(one["amount"] for one in host.view()["payments"]) == [100, 300]


@pytest.mark.parametrize("fault", [ValueError(PAN), RecursionError(PAN), MemoryError(PAN), OSError(28, PAN)])
def test_whatever_the_service_raises_ends_that_connection_only(
    host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> Any:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(host.service, "envelope", fails)
        till.send(till.handshake())
        assert closed(till)
    till.connect(host.port, host.home)
    assert till.ask(till.handshake()).code == "00"
    assert host.counters["faults"] == 1 and refusals(caplog, "fault")[0]["terminal"] == "KASSA001"
    assert silent_about_the_card(caplog)


def test_a_parser_that_fails_in_a_new_way_ends_that_connection_only(
    host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(frame: bytes) -> Any:
        raise IndexError(f"card {PAN}")

    with monkeypatch.context() as patch:
        patch.setattr(codec, "decode", fails)
        till.send(till.handshake())
        assert closed(till)
    assert host.counters["faults"] == 1 and silent_about_the_card(caplog)
    till.connect(host.port, host.home)
    assert till.ask(till.handshake()).code == "00"


def test_a_database_that_fails_is_named_without_what_it_says(
    host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> Any:
        raise OperationalError(f"INSERT {PAN}", {"pan": PAN}, OSError(f"disk full {PAN}"))

    with monkeypatch.context() as patch:
        patch.setattr(terminals, "load", fails)
        till.send(till.handshake())
        assert closed(till)
    assert host.counters["database_faults"] == 1
    assert refusals(caplog, "database")[0]["fault"].startswith("OperationalError at") and silent_about_the_card(caplog)


def test_a_connection_that_cannot_be_taken_in_does_not_end_the_port(
    host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(host.listener.lines, "arrive", fails)
        with pytest.raises(CLOSED):
            Terminal().connect(host.port, host.home)
    again = Terminal(counter=100).connect(host.port, host.home)
    assert again.ask(again.handshake()).code == "00"
    again.hang_up()


def test_a_certificate_date_that_cannot_be_stored_is_not_the_terminals_fault(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise OperationalError("", {}, OSError())

    monkeypatch.setattr(host.ledger, "certified", fails)
    pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
    till = Terminal().connect(host.port, host.home)
    assert till.ask(till.handshake()).code == "00"
    till.hang_up()


def test_a_full_disk_under_the_wire_log_stops_no_answer(
    tmp_path: Path, card: Card, caplog: pytest.LogCaptureFixture
) -> None:
    with Host(tmp_path, wire_log=Path("/dev/full")) as host:
        host.register("KASSA001", "898000000000001", IKID.hex())
        pki.terminal_identity(host.authority, "KASSA001").save(tmp_path, "terminal")
        till = Terminal().connect(host.port, tmp_path)
        assert till.ask(till.sale(till.record(500, card.tap(500)))).code == "00"
        assert till.ask(till.handshake()).code == "00"
        assert host.counters["wire_log_lost"] == 4 and len(refusals(caplog, "wire_log_lost")) == 1
        till.hang_up()


def test_the_wire_log_goes_on_when_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wire.log"
    log, write = WireLog(path), os.write
    assert log.write("up", [b"one"])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, data[:7]))
        assert not log.write("up", [b"two"])
    assert log.write("down", [b"three"])
    log.close()
    lines = path.read_text().splitlines()
    assert [json.loads(line)["hex"] for line in (lines[0], lines[2])] == [b"one".hex(), b"three".hex()]
    assert log.lost == 1 and path.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def pipe() -> Iterator[tuple[int, Any]]:
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w")
    yield reading, stream
    os.close(reading)
    stream.close()


def test_a_log_that_nobody_takes_away_stops_nobody(pipe: tuple[int, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MOST", 100)
    reading, stream = pipe
    log = logs.Logging(Log(form="json"), stream)
    done = threading.Thread(
        target=lambda: [logs.say(logging.INFO, "said", number=n, text="x" * 200) for n in range(2000)]
    )
    done.start()
    done.join(30)
    assert not done.is_alive() and log.lost > 0
    monkeypatch.setattr(logs, "_CLOSE", 0.1)
    log.close()  # gives up
    os.set_blocking(reading, False)
    while log._writer.is_alive():
        with contextlib.suppress(BlockingIOError):
            os.read(reading, 65536)
        with contextlib.suppress(queue.Full):
            log._records.put_nowait(None)


class Full(io.StringIO):
    """A file on a disk that is full for the first lines."""

    left = 2

    def write(self, text: str) -> int:
        self.left -= 1
        if self.left >= 0:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_log_on_a_full_disk_goes_on_when_there_is_room_again() -> None:
    stream = Full()
    log = logs.Logging(Log(form="json"), stream)
    for number in range(4):
        logs.say(logging.INFO, "said", number=number)
    log.close()
    assert [json.loads(line)["number"] for line in stream.getvalue().splitlines()] == [2, 3] and log.lost == 2


def test_log_lines_are_json_and_say_no_more_of_a_fault_than_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    log = logs.Logging(Log(form="json", level="warning"), stream)
    logs.say(logging.INFO, "not said")
    logs.say(logging.WARNING, "refused", reason="garbage", text='"\n\x1b[2J')
    try:
        raise ValueError(f"card {PAN}")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in application")
    log.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["refused", "Exception in application"]
    assert lines[0]["text"] == '"\n\x1b[2J' and lines[0]["level"] == "warning" and lines[0]["at"].endswith("+00:00")
    assert lines[1]["fault"].startswith("ValueError at test_faults.py:") and lines[1]["from"] == "uvicorn.error"
    assert PAN not in stream.getvalue()


def test_a_line_for_people_keeps_to_one_line() -> None:
    stream = io.StringIO()
    log = logs.Logging(Log(form="human"), stream)
    logs.say(logging.WARNING, "refused", reason="garbage", text="\n\x1b[2J")
    logging.getLogger("uvicorn.error").error("two\nlines\x1b[2J\n")
    log.close()
    assert stream.getvalue().count("\n") == 2 and "\x1b" not in stream.getvalue()
    assert "WARNING refused reason='garbage'" in stream.getvalue()


class Slow:
    """An issuer that answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    async def decide(self, payment: Payment) -> Decision:
        self.asked.set()
        while not self.go.is_set():
            await asyncio.sleep(0.01)
        return Decision("00", "123456")


def busy_host(home: Path, issuer: Slow, seconds: int) -> Host:
    host = Host(home, issuer=issuer, limits=Limits(shutdown_seconds=seconds))
    host.register("KASSA001", "898000000000001", IKID.hex())
    pki.terminal_identity(host.authority, "KASSA001").save(home, "terminal")
    return host.start()


def test_a_host_that_stops_finishes_what_it_is_answering(tmp_path: Path, card: Card) -> None:
    issuer = Slow()
    host = busy_host(tmp_path, issuer, 30)
    till, idle = Terminal().connect(host.port, tmp_path), Terminal(counter=500).connect(host.port, tmp_path)
    till.send(till.sale(till.record(500, card.tap(500))))
    assert issuer.asked.wait(10)
    stopping = threading.Thread(target=host.stop)
    stopping.start()
    assert closed(idle), "an idle connection ends at once"
    with pytest.raises(OSError):
        while True:
            Terminal().connect(host.port, tmp_path).hang_up()
            time.sleep(0.02)
    assert host.metrics.stopping and stopping.is_alive()
    issuer.go.set()
    assert till.receive().code == "00"
    assert closed(till)
    stopping.join(20)
    assert not stopping.is_alive()


def test_a_host_that_stops_does_not_wait_for_ever(tmp_path: Path, card: Card) -> None:
    host = busy_host(tmp_path, Slow(), 1)
    till = Terminal().connect(host.port, tmp_path)
    till.send(till.sale(till.record(500, card.tap(500))))
    wait_for(lambda: host.view()["payments"])
    host.stop()
    with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        till.receive()
