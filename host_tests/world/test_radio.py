# SPDX-License-Identifier: MIT
"""The radio: a station that joins, and a relay that delays, loses, cuts or answers as a captive portal."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tools.world.wifi_radio import Radio

JOIN = """
import asyncio, network, time
async def join():
    wifi = network.WLAN(network.STA_IF)
    wifi.active(True)
    wifi.connect("shop", "secret")
    for _ in range(50):
        if wifi.isconnected():
            break
        await asyncio.sleep_ms(100)
    return wifi
"""
ASK = (
    JOIN
    + """
async def ask(words, limit):
    begin = time.ticks_ms()
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("host.test", 8443{tls}), limit)
        for word in words:
            writer.write(word)
            await writer.drain()
            print(word, await asyncio.wait_for(reader.read(100), limit))
        writer.close()
    except asyncio.TimeoutError:
        print("no answer in", time.ticks_diff(time.ticks_ms(), begin) // 1000, "s")
    except OSError as error:
        print("failed")
"""
)


TRUST = """
import machine, tls, utime
now = utime.gmtime()
machine.RTC().datetime(now[:3] + (0,) + now[3:6] + (0,))
context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
context.verify_mode = tls.CERT_REQUIRED
context.load_verify_locations({trust})
"""


class Host:
    """A TCP echo server, inside TLS if `context` is given. With `silent`, it never answers."""

    def __init__(self, context: ssl.SSLContext | None = None, silent: bool = False) -> None:
        self._context = context
        self._silent = silent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.received = b""
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(link,), daemon=True).start()

    def _echo(self, link: socket.socket) -> None:
        try:
            if self._context:
                link = self._context.wrap_socket(link, server_side=True)
            with link:
                while data := link.recv(65536):
                    self.received += data
                    if not self._silent:
                        link.sendall(data)
        except OSError:
            pass  # the relay resets connections when a test tells it to
        self.ended.set()


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


@pytest.fixture
def silent_host() -> Iterator[Host]:
    host = Host(silent=True)
    yield host
    host.close()


@pytest.fixture(scope="module")
def tls_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server context for host.test with a self-signed EC certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "host.test")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("host.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path_factory.mktemp("tls") / "host.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + signed.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.kassa_certificate = signed.public_bytes(Encoding.DER)
    return context


@pytest.fixture
def certificate(tls_context: ssl.SSLContext) -> bytes:
    return tls_context.kassa_certificate


@pytest.fixture
def tls_host(tls_context: ssl.SSLContext) -> Iterator[Host]:
    host = Host(tls_context)
    yield host
    host.close()


def asking(*words: bytes, limit: int = 60, trust: bytes = b"") -> str:
    """A script that sends each word and prints the answer. `limit`: in seconds. `trust`: DER certificate, for TLS."""
    secure = ", ssl=context, server_hostname='host.test'" if trust else ""
    return (
        (TRUST.format(trust=trust) if trust else "")
        + ASK.format(tls=secure)
        + f"""
async def main():
    await join()
    await ask({words!r}, {limit})
asyncio.run(main())
"""
    )


def test_bytes_pass_both_ways_and_are_counted(run_script, host: Host) -> None:
    world = run_script(asking(b"one", b"two"), host_port=host.port)
    seen = []
    world.radio.tap = lambda way, data: seen.append((way, data))
    world.wait_off()
    assert world.console.splitlines() == ["b'one' b'one'", "b'two' b'two'"]
    assert (world.radio.bytes_up, world.radio.bytes_down, world.radio.connections) == (6, 6, 1)
    assert [entry for entry in seen if entry[1]] == [("up", b"one"), ("down", b"one"), ("up", b"two"), ("down", b"two")]
    assert host.ended.wait(5)


def test_time_does_not_jump_while_the_host_works(run_script, host: Host) -> None:
    """A limit of three virtual seconds is kept, although the answer takes a tenth of a real second."""
    world = run_script(asking(b"one", limit=3), host_port=host.port)
    world.radio.delay_ms = 50
    world.wait_off()
    assert "b'one' b'one'" in world.console


def test_a_silent_host_costs_a_minute_of_virtual_time_only(run_script, silent_host: Host) -> None:
    world = run_script(asking(b"one"), host_port=silent_host.port)
    world.wait_off(timeout=5)
    assert "no answer in 60 s" in world.console
    assert silent_host.received == b"one"


def test_a_half_open_radio_loses_all_data(run_script, host: Host) -> None:
    world = run_script(asking(b"one"), host_port=host.port)
    world.radio.state = "half_open"
    world.wait_off(timeout=5)
    assert "no answer in 60 s" in world.console
    assert host.received == b""


def test_a_half_open_connection_ends_in_a_reset(run_script, host: Host) -> None:
    world = run_script(asking(b"one"), host_port=host.port)
    world.radio.state = "half_open"
    world.run_for(10_000)
    world.radio.state = "on"
    world.wait_off()
    assert "failed" in world.console


def test_a_radio_that_is_off_has_no_network(run_script, host: Host) -> None:
    world = run_script(
        JOIN
        + """
async def main():
    import socket
    wifi = await join()
    print(wifi.isconnected(), wifi.status() == network.STAT_NO_AP_FOUND)
    try:
        socket.getaddrinfo("host.test", 8443)
    except OSError as error:
        print(error)
asyncio.run(main())
""",
        host_port=host.port,
    )
    world.radio.state = "off"
    world.wait_off()
    assert world.console.splitlines() == ["False True", "-202"]


def test_a_station_joins_and_reports_its_status(run_script) -> None:
    world = run_script(
        JOIN
        + """
async def main():
    wifi = await join()
    print(wifi.isconnected(), wifi.status() == network.STAT_GOT_IP, wifi.status("rssi"), wifi.ifconfig()[0])
    wifi.disconnect()
    print(wifi.isconnected(), wifi.status() == network.STAT_IDLE, wifi.ifconfig()[0])
asyncio.run(main())
"""
    )
    world.radio.key = "secret"
    world.wait_off()
    assert world.console.splitlines() == ["True True -55 192.168.4.20", "False True 0.0.0.0"]


def test_a_name_blocks_the_terminal_while_it_is_looked_up(run_script, host: Host) -> None:
    world = run_script(
        JOIN
        + """
async def main():
    import socket
    await join()
    for name in ("host.test", "10.0.0.1"):
        begin = time.ticks_ms()
        socket.getaddrinfo(name, 8443)
        print(time.ticks_diff(time.ticks_ms(), begin) // 1000)
asyncio.run(main())
""",
        host_port=host.port,
    )
    world.radio.dns_ms = 14_000
    asked = []
    world.radio.on_lookup = asked.append
    world.wait_off()
    assert (world.console.splitlines(), asked) == (["14", "0"], ["host.test"])


@pytest.mark.parametrize(("way", "received"), [("up", b"one-t"), ("down", b"one-two-three-")])
def test_a_connection_is_cut_after_the_given_number_of_bytes(run_script, host: Host, way: str, received: bytes) -> None:
    world = run_script(asking(b"one-", b"two-", b"three-"), host_port=host.port)
    world.radio.cut_after(5 if way == "up" else 9, way)
    world.wait_off()
    assert "b'three-' b'three-'" not in world.console
    assert host.ended.wait(5)
    assert host.received == received


def test_a_portal_answers_in_place_of_the_host(run_script, host: Host) -> None:
    world = run_script(asking(b"one"), host_port=host.port)
    world.radio.state = "portal"
    world.wait_off()
    assert "HTTP/1.1 200 OK" in world.console
    assert host.received == b""


def test_without_a_host_a_connection_fails_at_once(run_script) -> None:
    world = run_script(asking(b"one"), host_port=None)
    world.wait_off()
    assert "failed" in world.console or "b''" in world.console


def test_a_delay_does_not_reduce_throughput(host: Host) -> None:
    """A hundred pieces sent in a row are delayed once, not a hundred times."""
    radio = Radio(host.port)
    radio.delay_ms = 100
    try:
        with socket.create_connection(("127.0.0.1", radio.port)) as terminal:
            begin = time.monotonic()
            for _ in range(100):
                terminal.sendall(b"x" * 100)
            got = b""
            while len(got) < 10_000:
                got += terminal.recv(65536)
            took = time.monotonic() - begin
        assert 0.2 <= took < 2
    finally:
        radio.close()


def test_an_outage_delays_data_but_does_not_lose_them(host: Host) -> None:
    """TCP repeats data that an access point lost for a while."""
    radio = Radio(host.port)
    try:
        with socket.create_connection(("127.0.0.1", radio.port)) as terminal:
            terminal.sendall(b"one")
            assert terminal.recv(10) == b"one"
            radio.state = "off"
            terminal.sendall(b"two")
            terminal.settimeout(0.1)
            with pytest.raises(TimeoutError):
                terminal.recv(10)
            assert not radio.busy()
            radio.state = "on"
            terminal.settimeout(5)
            assert terminal.recv(10) == b"two"
    finally:
        radio.close()


def test_tls_works_through_the_relay(run_script, tls_host: Host, certificate: bytes) -> None:
    world = run_script(asking(b"one", b"two", limit=10, trust=certificate), host_port=tls_host.port)
    world.wait_off()
    assert world.console.splitlines() == ["b'one' b'one'", "b'two' b'two'"]
    assert tls_host.received == b"onetwo"


def test_a_silent_host_inside_tls_costs_a_minute_of_virtual_time_only(
    run_script, tls_context: ssl.SSLContext, certificate: bytes
) -> None:
    host = Host(tls_context, silent=True)
    world = run_script(asking(b"one", limit=60, trust=certificate), host_port=host.port)
    world.wait_off(timeout=5)
    assert "no answer in 60 s" in world.console
    host.close()


def test_tls_through_a_portal_fails(run_script, tls_host: Host, certificate: bytes) -> None:
    world = run_script(asking(b"one", limit=10, trust=certificate), host_port=tls_host.port)
    world.radio.state = "portal"
    world.wait_off()
    assert "failed" in world.console
    assert tls_host.received == b""
