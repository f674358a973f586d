# SPDX-License-Identifier: MIT
"""kassa-host run: a process with logs, metrics and health, whose files are private and which ends in order."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from host_tests.harness.host import certificates
from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Terminal
from host_tests.host.test_limits import wait_for
from tools.host import settings_file
from tools.host.errors import SetupError
from tools.host.running import metrics, process
from tools.host.settings import Limits
from tools.sim.host import Host

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "tools" / "host" / "kassa-host.service"
PORTS = (
    '[terminals]\naddress = "127.0.0.1"\nport = 0\n[page]\nport = 0\n[metrics]\nport = 0\n[log]\nform = "json"\n'
    "[keys]\ntest = true\n"
)


def get(port: int | None, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def sample(port: int | None, name: str, **labels: str) -> float | None:
    """The value of a metric, read as Prometheus reads it."""
    for family in text_string_to_metric_families(get(port, "/metrics")[1]):
        for each in family.samples:
            if each.name == name and each.labels == labels:
                return each.value
    return None


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path, metrics_port=0)
    host.register("KASSA001", "898000000000001", IKID.hex())
    certificates.make(tmp_path, "terminal", host.authority, "KASSA001")
    with host.start():
        yield host


def test_what_happens_can_be_read_by_prometheus(host: Host, card: Card) -> None:
    port = host.metrics_port
    till = Terminal().connect(host.port, host.home)
    assert till.ask(till.sale(till.record(500, card.tap(500)))).code == "00"
    bad = bytearray(till.handshake())
    bad[-1] ^= 1
    till.send(bytes(bad))
    assert till.ask(till.handshake()).code == "00"
    assert sample(port, "kassa_answers_total", mti="0210") == 1
    assert sample(port, "kassa_refusals_total", reason="bad_mac") == 1
    assert sample(port, "kassa_events_total", event="frames") == 3
    assert sample(port, "kassa_answer_seconds_count") == 2
    assert sample(port, "kassa_connections", state="open") == 1
    assert sample(port, "kassa_blocked_terminals") == 0
    assert 0 < (sample(port, "kassa_certificate_seconds") or 0)
    assert "kassa_revocations_seconds" not in get(port, "/metrics")[1], "no list, no date"
    certificates.revoke(host.home, host.authority)
    wait_for(lambda: host.listener.identity and host.listener.identity.revoked.made)
    assert 29 * 86400 < (sample(port, "kassa_revocations_seconds") or 0) < 30 * 86400
    till.hang_up()
    wait_for(lambda: sample(port, "kassa_connections", state="open") == 0)


def test_metrics_are_not_on_the_page_and_the_page_not_on_theirs(host: Host) -> None:
    assert get(host.page_port, "/metrics")[0] == get(host.page_port, "/readyz")[0] == 404
    assert get(host.metrics_port, "/api/ledger")[0] == get(host.metrics_port, "/")[0] == 404


def test_a_host_without_its_database_lives_and_is_not_ready(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get(host.metrics_port, "/readyz") == (200, '{"ready":true,"problems":[]}')
    with monkeypatch.context() as patch:
        patch.setattr(host.ledger, "read", host.ledger.path.with_name("no").open)
        assert get(host.metrics_port, "/readyz") == (503, '{"ready":false,"problems":["database: FileNotFoundError"]}')
        assert get(host.metrics_port, "/healthz") == (200, "alive\n")
    asked = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(metrics, "_DATABASE", 0.1)
        hangs: list[int] = []
        patch.setattr(host.metrics, "_ask_database", lambda: (hangs.append(1), asked.wait(30)))
        for _ in range(3):
            status, text = get(host.metrics_port, "/readyz")
            assert status == 503 and "database: TimeoutError" in text
        assert hangs == [1], "a database that hangs is asked once"
        asked.set()
        wait_for(lambda: get(host.metrics_port, "/readyz")[0] == 200)
    host.metrics.stopping = True
    assert get(host.metrics_port, "/readyz") == (503, '{"ready":false,"problems":["stopping"]}')


def test_one_port_takes_ipv4_and_ipv6(tmp_path: Path) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with Host(tmp_path, address="::", page_address="::1") as host:
        host.register("KASSA001", "898000000000001", IKID.hex())
        certificates.make(tmp_path, "terminal", host.authority, "KASSA001")
        till = Terminal().connect(host.port, tmp_path)
        assert till.ask(till.handshake()).code == "00"
        till.hang_up()
        socket.create_connection(("::1", host.port), 10).close()
        with urllib.request.urlopen(f"http://[::1]:{host.page_port}/", timeout=10) as page:
            assert page.status == 200


def test_a_host_whose_certificate_has_expired_is_not_ready(tmp_path: Path) -> None:
    host = Host(tmp_path, metrics_port=0)
    certificates.make(tmp_path, "host", host.authority, "kassa-host.test", use=certificates.SERVER, starts=-9, ends=-1)
    with host.start():
        status, text = get(host.metrics_port, "/readyz")
        assert status == 503 and "certificate: valid from" in text
        assert (sample(host.metrics_port, "kassa_certificate_seconds") or 0) < 0


@pytest.fixture
def home(place: Path | str, tmp_path: Path) -> Path:
    """The folder of a host that can be run: certificates, a terminal list, and settings that name its database."""
    home = tmp_path / "host"
    host = Host(home, db=place)
    certificates.make(home, "terminal", host.authority, "KASSA001")
    host.stop()
    (home / settings_file.FILE).write_text(PORTS + _database(place))
    (home / "terminals.json").write_text(
        json.dumps([{"terminal": "KASSA001", "merchant": "898000000000001", "ikid": IKID.hex()}])
    )
    subprocess.run(["chmod", "-R", "go=", str(home)], check=True)
    return home


def _database(place: Path | str) -> str:
    return f'[database]\nurl = "{place if isinstance(place, str) else f"sqlite:///{place}"}"\n'


class Run:
    """`kassa-host run` in a process of its own."""

    def __init__(self, home: Path, **environment: str) -> None:
        command = [sys.executable, "-m", "tools.host", "run", str(home)]
        self.process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
        self.lines: list[dict[str, Any]] = []
        while not self.lines or self.lines[-1]["event"] != "ready":
            assert self.process.stderr
            self.lines.append(json.loads(self.process.stderr.readline()))

    def port(self, name: str) -> int:
        return int(self.lines[-1][name].rpartition(":")[2])

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        assert self.process.stderr
        self.lines += [json.loads(line) for line in self.process.stderr]
        return self.process.wait(30)


def test_a_host_runs_serves_and_ends_in_order(home: Path, tmp_path: Path) -> None:
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(10)
    run = Run(home, NOTIFY_SOCKET=str(tmp_path / "notify"))
    assert notify.recv(100) == b"READY=1"
    till = Terminal().connect(run.port("terminals"), home)
    assert till.ask(till.cash(till.record(500, type=0x71))).code == "00"
    till.send(b"\xff\xff")
    with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        till.receive()
    assert get(run.port("metrics"), "/readyz")[0] == 200
    assert get(run.port("page"), "/")[0] == 200
    assert sample(run.port("metrics"), "kassa_refusals_total", reason="garbage") == 1
    modes = {str(path): path.stat().st_mode & 0o777 for path in (home, *home.rglob("*"))}
    assert {path: oct(mode) for path, mode in modes.items() if mode not in (0o600, 0o700)} == {}
    again = subprocess.run(
        [sys.executable, "-m", "tools.host", "run", str(home)], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert again.returncode == 1 and "another process works in" in again.stderr
    assert run.end(signal.SIGTERM) == 0
    assert notify.recv(100) == b"STOPPING=1"
    notify.close()
    events = [line["event"] for line in run.lines]
    assert (
        events[:2] == ["TEST KEYS", "ready"]
        and events[-2:] == ["stopping", "stopped"]
        and run.lines[-2]["signal"] == "SIGTERM"
    )
    assert [line["reason"] for line in run.lines if line["event"] == "refused"] == ["garbage"]
    assert "no acquirers" in events, "nobody decides a card payment, and the log says so"


@pytest.mark.parametrize("busy", ["terminals", "page", "metrics"])
def test_a_port_that_is_in_use_is_an_error_not_half_a_host(home: Path, busy: str) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    settings = home / settings_file.FILE
    port = rf"\g<1>{taken.getsockname()[1]}"
    settings.write_text(re.sub(rf"(\[{busy}\][^\[]*?port = )0", port, settings.read_text(), flags=re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-m", "tools.host", "run", str(home)], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    taken.close()
    assert done.returncode == 1 and "Address already in use" in done.stderr and '"ready"' not in done.stderr


def test_a_process_asks_for_as_many_files_as_its_limits_need(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(process.resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(process.resource, "setrlimit", lambda _, pair: asked.append(pair))
    assert process.allow_connections(Limits(connections=1000, handshakes=256)) == 0
    assert process.allow_connections(Limits(connections=100, handshakes=50)) == 0
    assert process.allow_connections(Limits(connections=8000, handshakes=256)) == 8000 + 256 + 128 - 4096
    assert asked == [(1384, 4096), (4096, 4096)]


def test_the_unit_of_systemd_is_hardened_and_starts_what_there_is() -> None:
    text = UNIT.read_text()
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    assert lines["NoNewPrivileges"] == "yes" and lines["ProtectSystem"] == "strict" and lines["UMask"] == "0077"
    assert lines["StateDirectoryMode"] == "0700" and lines["Type"] == "notify"
    assert lines["LoadCredential"].startswith("kassa-passphrase:")
    assert lines["ExecStart"] == f"/opt/kassa/bin/kassa-host run /var/lib/{lines['StateDirectory']}"
    limits = Limits()
    assert int(lines["LimitNOFILE"]) >= limits.connections + limits.handshakes + 128
    assert int(lines["TimeoutStopSec"]) > limits.shutdown_seconds


@pytest.mark.on_sqlite("about signals")
def test_a_host_that_does_not_start_blocks_no_signal(tmp_path: Path) -> None:
    """Programs that it starts later would inherit it, and could not be ended."""

    def create() -> Host:
        raise ValueError("no gateway")

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(SetupError, match="no gateway"), process.running(tmp_path / "home", create):
        pass
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
