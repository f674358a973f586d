# SPDX-License-Identifier: MIT
"""The host's keys: sealed, never the test keys unless they are asked for, never beside an open door."""

import json
import logging
import os
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from psec import tr31

from host_tests.harness.host import real_host
from host_tests.harness.host.real_host import run
from host_tests.harness.host.terminal import IKID, Terminal
from tools.host import app
from tools.host.commands import ca, keys, terminals
from tools.host.errors import HostError, KeyMissing, SetupError
from tools.host.keys import dukpt, file_store, host_keys, passphrase, pki, sealed_file
from tools.host.keys.file_store import FileStore, Secrets
from tools.host.keys.host_keys import TEST_BDK, TestKeys
from tools.host.keys.key_store import check_value
from tools.host.outside.gateway import Nobody
from tools.sim.host import Host
from tools.whole_system import PROVISIONED, WholeSystem

BDK = bytes(range(16))


@pytest.fixture(autouse=True)
def passphrases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "desk").mkdir(0o700)
    real_host.give_passphrases(tmp_path / "desk", monkeypatch.setenv)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealing takes no time."""
    monkeypatch.setattr(sealed_file, "_COST", 1 << 10)


def test_a_host_without_keys_does_not_start(tmp_path: Path) -> None:
    """It used to take the published test key, and to say nothing."""
    pki.ensure(tmp_path)
    with pytest.raises(SetupError, match="has no keys: kassa-host keys init"):
        app.Host(tmp_path, Nobody(), Nobody())


def test_a_host_without_certificates_does_not_start_and_makes_none(tmp_path: Path) -> None:
    home = tmp_path / "host"
    with pytest.raises(SetupError, match="ca.pem is missing: kassa-host ca"):
        app.Host(home, Nobody(), Nobody(), test_keys=True)
    assert not list(home.rglob("*.pem"))


def test_test_keys_are_said_on_the_page_and_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pki.ensure(tmp_path)
    with caplog.at_level(logging.WARNING, "kassa.host"):
        host = app.Host(tmp_path, Nobody(), Nobody(), test_keys=True)
    assert "TEST KEYS" in caplog.text
    with host.start():
        for language, said in app.TEST_KEYS.items():
            asked = urllib.request.Request(f"http://127.0.0.1:{host.page_port}/", headers={"Accept-Language": language})
            with urllib.request.urlopen(asked, timeout=10) as page:
                assert said in page.read().decode()


def test_a_host_with_keys_of_its_own_never_runs_with_the_test_keys(tmp_path: Path, quick: None) -> None:
    file_store.write(tmp_path / file_store.NAME, Secrets({IKID[:4]: BDK}), real_host.SECRET)
    with pytest.raises(SetupError, match="keys of its own"):
        host_keys.find(tmp_path, test_keys=True)
    assert not host_keys.find(tmp_path).is_test


def test_nothing_but_tools_sim_writes_the_setting(tmp_path: Path) -> None:
    with Host(tmp_path) as host:
        assert host.keys.is_test and host_keys.place(tmp_path).test
    root = Path(app.__file__).parents[2]
    writers = [path for path in (root / "tools").rglob("*.py") if "test = true" in path.read_text()]
    assert {str(path.relative_to(root)) for path in writers} == {"tools/host/keys/host_keys.py", "tools/sim/gateway.py"}


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666, 0o620, 0o610])
def test_a_file_of_keys_that_others_can_reach_is_refused(tmp_path: Path, quick: None, mode: int) -> None:
    path = tmp_path / file_store.NAME
    file_store.write(path, Secrets({IKID[:4]: BDK}), real_host.SECRET)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(mode)
    with pytest.raises(SetupError, match=rf"read by others \(mode {mode:03o}\)"):
        host_keys.find(tmp_path)


def test_the_hosts_private_key_is_refused_if_others_can_read_it(tmp_path: Path) -> None:
    pki.ensure(tmp_path)
    (tmp_path / "host.key.pem").chmod(0o644)
    with pytest.raises(SetupError, match="host.key.pem can be read by others"):
        app.Host(tmp_path, Nobody(), Nobody(), test_keys=True)


def test_sealed_keys_open_with_their_passphrase_alone(tmp_path: Path, quick: None) -> None:
    path = tmp_path / file_store.NAME
    held = Secrets({IKID[:4]: BDK}, {"acquirer": bytes(range(16, 32))}, bytes(range(32)))
    file_store.write(path, held, real_host.SECRET)
    assert file_store.read(path, real_host.SECRET) == held
    for key in (BDK, held.kbpks["acquirer"], held.token):
        assert key.hex() not in path.read_text().lower() and key not in path.read_bytes()
    with pytest.raises(SetupError, match="wrong passphrase"):
        file_store.read(path, real_host.SECRET + "x")
    rows = json.loads(path.read_text())
    for name, changed in (("sealed", "00" * 40), ("nonce", "00" * 12), ("n", 2048), ("salt", "00" * 16)):
        path.write_text(json.dumps({**rows, name: changed}))
        with pytest.raises(SetupError):
            file_store.read(path, real_host.SECRET)
    for content in (
        "",
        "[]",
        "{}",
        '{"format": 1}',
        json.dumps({**rows, "n": 1 << 40}),
        json.dumps({**rows, "sealed": "x"}),
    ):
        path.write_text(content)
        with pytest.raises(SetupError):
            file_store.read(path, real_host.SECRET)


def test_keys_are_never_shown_by_an_object_or_an_error(tmp_path: Path, quick: None) -> None:
    held = Secrets({IKID[:4]: BDK})
    assert BDK.hex() not in repr(held) and str(BDK) not in repr(held) and held.token.hex() not in repr(held)
    assert BDK.hex() not in repr(vars(HostError(str(KeyMissing("x"))))) and "Secrets" in repr(held)


def test_several_base_derivation_keys_are_told_apart_by_their_id() -> None:
    other = bytes.fromhex("AABBCCDD")
    store = FileStore(Secrets({IKID[:4]: BDK, other: TEST_BDK}))
    ksn, far = IKID + b"\0\0\0\x07", other + IKID[4:] + b"\0\0\0\x07"
    assert store.working_key(ksn, dukpt.DATA_ENCRYPT) == dukpt.working_key(BDK, ksn, dukpt.DATA_ENCRYPT)
    assert store.working_key(far, dukpt.DATA_ENCRYPT) == dukpt.working_key(TEST_BDK, far, dukpt.DATA_ENCRYPT)
    with pytest.raises(KeyMissing, match="01020304"):
        store.working_key(bytes.fromhex("01020304") + ksn[4:], dukpt.DATA_ENCRYPT)
    store.close()
    with pytest.raises(KeyMissing):
        store.working_key(ksn, dukpt.DATA_ENCRYPT)


def test_a_terminal_below_a_key_that_is_not_here_gets_no_answer_and_is_counted(host: Host, till: Terminal) -> None:
    frame = till.handshake()
    service = host.service
    service._keys = FileStore(Secrets({bytes(4): BDK}))
    assert service.authenticated(frame[2:]) is None and host.counters["bad_mac"] == 1
    service._keys = host.keys
    assert service.authenticated(frame[2:]) is not None


def test_card_numbers_have_another_token_with_another_key() -> None:
    one, two = FileStore(Secrets()), FileStore(Secrets())
    assert one.token("6222020000000001") == one.token("6222020000000001") != two.token("6222020000000001")
    assert len(one.token("1")) == 32 and one.token("1") != TestKeys().token("1")


def test_a_provisioning_block_holds_the_initial_key(quick: None) -> None:
    store, kbpk = FileStore(Secrets({IKID[:4]: BDK})), bytes(range(50, 66))
    header, key = tr31.unwrap(kbpk, store.key_block(IKID, kbpk).decode())
    assert (
        key == dukpt.initial_key(BDK, IKID) and header.blocks["IK"] == IKID.hex().upper() and header.key_usage == "B1"
    )
    new = IKID[:7] + b"\x99"
    update = dukpt.working_key(BDK, IKID + b"\xff" * 4, 0x0002)
    assert tr31.unwrap(update, store.renewal_block(IKID, new).decode())[1] == dukpt.initial_key(BDK, new)


def test_the_passphrase_comes_from_systemd_then_from_a_file_then_from_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert passphrase.find() == real_host.SECRET  # no such credential: the file
    credential = credentials / passphrase.KEYS
    credential.touch(0o400)
    credential.chmod(0o600)
    credential.write_text("of systemd, long enough\n")
    assert passphrase.find() == "of systemd, long enough"
    credential.chmod(0o440)  # as systemd gives it to another account
    assert passphrase.find() == "of systemd, long enough"
    credential.chmod(0o644)
    with pytest.raises(SetupError, match="read by others"):
        passphrase.find()
    credential.unlink()
    monkeypatch.delenv(passphrase.variable(passphrase.KEYS))
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115
    with pytest.raises(SetupError, match="KASSA_PASSPHRASE_FILE"):
        passphrase.find()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    typed = iter(["typed by a person", "typed by a person", "one thing here", "another thing", "short", "short"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    assert passphrase.find(new=True) == "typed by a person"
    with pytest.raises(SetupError, match="differ"):
        passphrase.find(new=True)
    with pytest.raises(SetupError, match="at least 12"):
        passphrase.find(new=True)


def test_no_command_takes_a_secret_on_its_command_line() -> None:
    options = {name for group in (ca.main, keys.main, terminals.main) for command in group.commands.values()
               for each in command.params for name in each.opts}  # fmt: skip
    assert "--components" in options
    assert not any(word in name for name in options for word in ("pass", "secret", "pin", "key=", "password"))


def test_keys_are_made_added_listed_and_sealed_again(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "host"
    assert "none yet" in run("keys", "--home", home, "init").output
    assert "there already" in run("keys", "--home", home, "init", status=1).output
    run("keys", "--home", home, "add-bdk", "31415926", "--new")
    parts = ["11" * 16, "22" * 16, "44" * 16]
    words = "\n".join(["xyz", parts[0], "n", parts[0], "y", parts[1], "y", parts[2], "y"]) + "\n"
    said = run("keys", "--home", home, "add-bdk", "12345678", "--components", "3", words=words).output
    assert check_value(b"\x77" * 16) in said and not any(part in said for part in [*parts, "77" * 16])
    assert "there is a base derivation key" in run(
        "keys", "--home", home, "add-bdk", "12345678", "--new", status=1).output  # fmt: skip
    words = f"{'0f' * 16}\ny\n{'f0' * 16}\ny\n"
    run("keys", "--home", home, "add-kbpk", "acquirer", "--components", "2", words=words)
    block = tmp_path / "bdk.tr31"
    header = tr31.Header(version_id="D", key_usage="B0", algorithm="A", mode_of_use="X", exportability="N")
    block.write_text(tr31.wrap(b"\xff" * 16, header, BDK))
    run("keys", "--home", home, "add-bdk", "AABBCCDD", "--block", block, "--kbpk", "acquirer")
    said = run("keys", "--home", home, "list").output
    assert f"AABBCCDD  check value {check_value(BDK)}" in said and "31415926" in said and "KBPK  acquirer" in said
    block.write_text(tr31.wrap(b"\xfe" * 16, header, BDK))
    assert "Error" in run(
        "keys", "--home", home, "add-bdk", "AABBCCDE", "--block", block, "--kbpk", "acquirer", status=1).output  # fmt: skip
    store = host_keys.find(home)
    assert store.working_key(bytes.fromhex("AABBCCDD") + bytes(7) + b"\1", 0x3000) == dukpt.working_key(
        BDK, bytes.fromhex("AABBCCDD") + bytes(7) + b"\1", 0x3000)  # fmt: skip
    (tmp_path / "desk" / "new.txt").touch(0o600)
    (tmp_path / "desk" / "new.txt").write_text("another passphrase")
    monkeypatch.setenv(passphrase.variable(passphrase.KEYS), str(tmp_path / "desk" / "new.txt"))
    run("keys", "--home", home, "passphrase")
    assert host_keys.find(home).bdk_ids == store.bdk_ids and host_keys.find(home).token("1") == store.token("1")


def test_keys_in_clear_of_an_earlier_version_are_refused_and_taken_over(tmp_path: Path, quick: None) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"bdk": BDK.hex()}))
    (tmp_path / "token.key").write_bytes(bytes(range(32)))
    with pytest.raises(SetupError, match="keys.json holds keys in clear"):
        host_keys.find(tmp_path)
    assert "say its --bdk-id" in run("keys", "--home", tmp_path, "init", status=1).output
    said = run("keys", "--home", tmp_path, "init", "--bdk-id", "12345678").output
    assert f"destroy {tmp_path / 'keys.json'}" in said and f"destroy {tmp_path / 'token.key'}" in said
    store = host_keys.find(tmp_path)
    ksn = IKID + b"\0\0\0\1"
    assert store.working_key(ksn, 0x3000) == dukpt.working_key(BDK, ksn, 0x3000)
    assert store.token("1") == FileStore(Secrets(token=bytes(range(32)))).token("1")


def test_the_published_key_is_not_taken_over(tmp_path: Path, quick: None) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"bdk": TEST_BDK.hex()}))
    assert "published test key" in run("keys", "--home", tmp_path, "init", "--bdk-id", "12345678", status=1).output


@pytest.fixture
def loose() -> Iterator[None]:
    """A process whose files everybody may read and write."""
    mask = os.umask(0)
    yield
    os.umask(mask)


@pytest.mark.on_sqlite("it looks at the database's files")
def test_every_file_of_a_host_is_for_its_account_alone(tmp_path: Path, loose: None) -> None:
    home = tmp_path / "new" / "host"
    with Host(home, wire_log=home / "wire.log") as host:
        host.register("KASSA001", "898000000000001", IKID.hex())
        host.tables.publish("390", b"x")
        pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
        till = Terminal().connect(host.port, home)
        assert till.ask(till.handshake()).code == "00"
        till.hang_up()
        found = {path.relative_to(home): stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")]}
    assert {Path("host.db"), Path("host.db-wal"), Path("host.db-shm"), Path("wire.log"),
            Path("operator.json"), Path("kassa-host.toml"), Path("host.key.pem"), Path("ca/ca.key.pem")} <= set(found)  # fmt: skip
    open_ones = {str(path): oct(mode) for path, mode in found.items() if mode & 0o077}
    assert not open_ones


def test_the_supervisors_code_and_the_wire_log_of_a_whole_system_are_for_its_account_alone(
    tmp_path: Path, loose: None
) -> None:
    with WholeSystem(tmp_path / "system") as system:
        code = (system.home / PROVISIONED).read_text()
        found = {
            path: stat.S_IMODE((system.home / path).stat().st_mode) for path in (".", PROVISIONED, "wire.log", "host")
        }
    assert code == system.supervisor_code and not any(mode & 0o077 for mode in found.values()), found


@pytest.mark.on_sqlite("it looks at the database's file")
def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path, loose: None) -> None:
    (tmp_path / "host.db").touch(0o666)
    with Host(tmp_path):
        assert stat.S_IMODE((tmp_path / "host.db").stat().st_mode) == 0o600
