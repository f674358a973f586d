# SPDX-License-Identifier: MIT
"""Cost of sending a queue of deferred payments: round trips, handshakes, instructions, bytes, and real time.

The firmware's records, courier, connection and TLS run against the host of tools/host, which commits to disk before it
answers. The world's radio between them adds a round trip of 50 ms.
"""

import json
import shutil
import socket
import ssl
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.bench import instructions, micropython32, romfs, stores
from tools.bench.inside import HEAP, HERE, ask, run_environment
from tools.cards import catalogue
from tools.cards.card import tlv
from tools.cards.visa import VisaCard
from tools.host.keys import pki
from tools.host.wire import codec
from tools.whole_system import WholeSystem
from tools.world import interpreter

PAYMENTS = 1000
_FEW = 40  # payments, where each waits for its answer
_RUNS = 5
_DELAY_MS = 25  # each way
_PATIENCE_S = 120
_DEVICE_HEAP = "256k"
_TURNS = 64  # a window of payments
_BOTH = _TURNS, 2 * _TURNS
_READ = 65536
_BODY = 160
# The terminal data sent to a card, without the amount.
_TERMS = {"9F03": bytes(6), "9F1A": b"\1\x56", "95": bytes(5), "5F2A": b"\1\x56", "9A": b"\x26\x08\x17", "9C": b"\0",
          "9F37": b"\x1a\x2b\x3c\x4d"}  # fmt: skip


def drain() -> dict[str, float]:
    """All figures of the drain. Figures that need missing tools are left out."""
    with tempfile.TemporaryDirectory(prefix="kassa-drain-") as folder:
        return counts(Path(folder)) | rates(Path(folder)) | steps(Path(folder))


def counts(folder: Path, payments: int = PAYMENTS, one: bool = False) -> dict[str, float]:
    """Counted figures, on the project's interpreter. `one`: one payment in flight at a time."""
    source = _source(folder / "counts", one, True)
    with _till(folder, payments) as till, _stage(till, interpreter.micropython(), source) as system:
        result = _run(system, payments)
        radio, connections = system.world.radio, system.host.counters["connections"]
        return {
            "drain_round_trips_per_1000": result["rounds"] * 1000 / payments,
            "drain_handshakes": max(radio.connections, connections),
            "wire_bytes_per_settled": result["bytes"] / payments,
            "wire_tls_bytes_per_settled": (radio.bytes_up + radio.bytes_down) / payments,
        }


def rates(folder: Path) -> dict[str, float]:
    """Payments per second in real time, on the 32-bit interpreter, with the firmware compiled as in flash."""
    micropython = micropython32.find()
    if micropython is None:
        return {}
    image = romfs.build(folder / "many.romfs", _source(folder / "many", False, False))
    with _till(folder, PAYMENTS) as till:
        times = [_timed(till, str(micropython), image, PAYMENTS)["ms"] for _ in range(_RUNS)]
    image = romfs.build(folder / "one.romfs", _source(folder / "one", True, False))
    with _till(folder, _FEW) as till:
        single = _timed(till, str(micropython), image, _FEW)
    image = romfs.build(folder / "upload.romfs", _source(folder / "upload", False, False, True))
    with _till(folder, PAYMENTS) as till:
        closed = _timed(till, str(micropython), image, PAYMENTS, "mismatch")
    each = (single["ms"] - single["heard_ms"]) / _FEW
    return {
        "drain_per_s_50ms": PAYMENTS * 1000 / statistics.median(times),
        "batch_upload_per_s": closed["uploaded"] * 1000 / closed["upload_ms"],
        "drain_per_s_sequential": PAYMENTS * 1000 / (single["heard_ms"] + each * PAYMENTS),
    }


def steps(folder: Path) -> dict[str, float]:
    """The courier's instructions to send one payment and process its answer, and the garbage it makes."""
    micropython = micropython32.find()
    if micropython is None or not instructions.available():
        return {}
    script, answers = HERE / "drain.py", folder / "answers.json"
    with _till(folder, 2 * _TURNS) as till:
        more = (str(till / "terminal" / "bodies"), *stores.key_arguments())
        answers.write_text(json.dumps(list(_dialogue(script, more, till))))
        more = (*more, str(answers))
        work = instructions.per_turn(script, "step", _TURNS, *more)
        few, many = (ask(script.name, "step", str(count), *more, micropython=micropython) for count in _BOTH)
    if (few["settled"], many["settled"]) != _BOTH:
        raise RuntimeError(f"not settled: {few}, {many}")
    return {
        "drain_instructions_per_payment": round(work),
        "drain_garbage_bytes_per_payment": (many["bytes"] - few["bytes"]) / _TURNS,
    }


@contextmanager
def _till(folder: Path, payments: int) -> Iterator[Path]:
    """The home folder of a system with so many payments in the terminal's flash."""
    home = folder / f"till{payments}"
    with WholeSystem(home):
        pass
    card = catalogue.make("coral")
    assert isinstance(card, VisaCard)
    bodies = b"".join(_body(card, amount) for amount in range(1, payments + 1))
    (home / "terminal" / "bodies").write_bytes(bodies)
    if ask("drain.py", "fill", str(payments), str(home / "terminal"))["count"] != payments:
        raise RuntimeError("the payments were not accepted")
    yield home
    shutil.rmtree(home)


def _body(card: VisaCard, amount: int) -> bytes:
    """The card data stored in the body of one payment."""
    terms = _TERMS | {"9F02": bytes.fromhex(f"{amount:012}")}
    card.atc += 1
    tags = card.options(terms) | terms
    return b"".join([tlv("57", tags.pop("57")), *(tlv(tag, value) for tag, value in tags.items())]).ljust(_BODY, b"\0")


def _source(folder: Path, one: bool, counts: bool, closes: bool = False) -> Path:
    """Create a firmware folder with inside/drain_line.py as main.py."""
    folder.mkdir()
    (folder / "main.py").write_text(
        f"ONE, COUNTS, CLOSES = {one}, {counts}, {closes}\n" + (HERE / "drain_line.py").read_text()
    )
    return folder


@contextmanager
def _stage(till: Path, micropython: str, source: Path) -> Iterator[WholeSystem]:
    """A copy of the till with a host, for one run of a drain."""
    with tempfile.TemporaryDirectory(dir=till.parent) as home:
        shutil.copytree(till, home, dirs_exist_ok=True)
        heap = _DEVICE_HEAP if source.suffix else None
        with WholeSystem(Path(home), micropython=micropython, speed="real", heap=heap, source=source) as system:
            system.world.radio.delay_ms = _DELAY_MS
            yield system


def _run(system: WholeSystem, payments: int) -> dict[str, Any]:
    """Run inside/drain_line.py and return its results. Raises RuntimeError if not every payment was approved."""
    system.world.power_on()
    system.world.wait_off(_PATIENCE_S)
    result = json.loads(system.world.console.splitlines()[-1])
    if result["settled"] != payments or result["refused"]:
        raise RuntimeError(f"not settled: {result}")
    return result


def _timed(till: Path, micropython: str, image: Path, payments: int, mood: str = "normal") -> dict[str, Any]:
    with _stage(till, micropython, image) as system:
        system.host.mood = mood
        return _run(system, payments)


def _dialogue(script: Path, more: tuple[str, ...], till: Path) -> Iterator[str]:
    """Yield, in hex, the host's answers to each window of frames from the courier of inside/drain.py."""
    command = [interpreter.micropython(), "-X", f"heapsize={HEAP}", script, "dialogue", str(2 * _TURNS), *more]
    pipe = subprocess.PIPE
    with WholeSystem(till) as system, _connect(system) as line:
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=run_environment()) as courier:
            assert courier.stdin is not None and courier.stdout is not None
            for sent in courier.stdout:
                line.sendall(bytes.fromhex(sent))
                answers = bytearray()
                while _frames(answers) < _frames(bytearray.fromhex(sent)):
                    answers += line.recv(_READ)
                courier.stdin.write(answers.hex() + "\n")
                courier.stdin.flush()
                yield answers.hex()
    if courier.returncode:
        raise subprocess.CalledProcessError(courier.returncode, command)


def _frames(data: bytearray) -> int:
    """Number of complete frames."""
    return len(list(codec.split(bytearray(data))))


def _connect(system: WholeSystem) -> ssl.SSLSocket:
    """Connect to the host as its terminal does."""
    home = system.home / "host"
    pki.terminal_identity(system.host.authority, system.terminal.terminal_id).save(home, "terminal")
    context = ssl.create_default_context(cafile=home / "ca.pem")
    context.load_cert_chain(home / "terminal.pem", home / "terminal.key.pem")
    plain = socket.create_connection(("127.0.0.1", system.host.port), _PATIENCE_S)
    return context.wrap_socket(plain, server_hostname=pki.HOST_NAME)
