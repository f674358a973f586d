# SPDX-License-Identifier: MIT
"""Keys in a PKCS#11 token (Debian's SoftHSM): the same keys come out, and none of them can be taken out."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests.harness.host import real_host
from host_tests.harness.host.real_host import run
from host_tests.harness.host.terminal import IKID
from tools.host.errors import KeyMissing, SetupError
from tools.host.keys import dukpt, file_store, host_keys
from tools.host.keys.file_store import FileStore, Secrets

MODULE = next(
    (path for path in map(Path, ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))
     if path.exists()), None)  # fmt: skip
pytestmark = [
    pytest.mark.skipif(MODULE is None, reason="SoftHSM is not installed (Debian's softhsm2)"),
    pytest.mark.on_sqlite("a token is used up by each test, and the database has no part in it"),
]
BDK = bytes(range(16))


LABELS = [f"kassa-{number}" for number in range(4)]  # a token for each test


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Labels of empty tokens. The library looks for tokens once in a process, so they are made ahead."""
    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    (home / "softhsm2.conf").write_text(f"directories.tokendir = {home / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(home / "softhsm2.conf"))
        make = ["softhsm2-util", "--init-token", "--free", "--so-pin", "1234567", "--pin", real_host.SECRET, "--label"]
        for label in LABELS:
            subprocess.run([*make, label], check=True, capture_output=True)
        yield list(LABELS)


@pytest.fixture
def home(tokens: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's folder whose settings name a fresh token."""
    (tmp_path / "desk").mkdir(0o700)
    real_host.give_passphrases(tmp_path / "desk", monkeypatch.setenv)
    (tmp_path / "kassa-host.toml").write_text(f'[keys]\npkcs11 = "{MODULE}"\ntoken = "{tokens.pop()}"\n')
    return tmp_path


def test_a_token_gives_the_same_keys_as_a_file(home: Path) -> None:
    run("keys", "--home", home, "init")
    words = f"{bytes(16).hex()}\ny\n{BDK.hex()}\ny\n"
    run("keys", "--home", home, "add-bdk", IKID[:4].hex(), "--components", "2", words=words)
    run("keys", "--home", home, "add-bdk", "AABBCCDD", "--new")
    said = run("keys", "--home", home, "list").output
    assert IKID[:4].hex() in said and "AABBCCDD" in said and "token key: there" in said
    assert not (home / file_store.NAME).exists() and not (home / "token.key").exists()
    store, soft = host_keys.find(home), FileStore(Secrets({IKID[:4]: BDK}))
    assert store.bdk_ids == (IKID[:4], bytes.fromhex("AABBCCDD")) and not store.is_test
    for counter in (1, 2, 3, 0x10007, 0xFFFF0000):
        ksn = IKID + counter.to_bytes(4, "big")
        for usage in (dukpt.DATA_ENCRYPT, dukpt.MAC_BOTH_WAYS, dukpt.MAC_GENERATE, dukpt.MAC_VERIFY):
            assert store.working_key(ksn, usage) == soft.working_key(ksn, usage)
    assert store.check_value(IKID) == soft.check_value(IKID)
    assert store.token("6222020000000001") == store.token("6222020000000001") != store.token("6222020000000002")
    with pytest.raises(KeyMissing):
        store.working_key(bytes(12), dukpt.DATA_ENCRYPT)
    store.close()


def test_the_keys_of_an_earlier_version_move_into_the_token(home: Path) -> None:
    (home / "keys.json").write_text(f'{{"bdk": "{BDK.hex()}"}}')
    (home / "token.key").write_bytes(bytes(range(32)))
    run("keys", "--home", home, "init", "--bdk-id", IKID[:4].hex())
    store, soft = host_keys.find(home), FileStore(Secrets({IKID[:4]: BDK}, token=bytes(range(32))))
    assert store.token("6222020000000001") == soft.token("6222020000000001")
    assert store.check_value(IKID) == soft.check_value(IKID)
    store.close()
    assert "has a token key already" in run("keys", "--home", home, "init", "--bdk-id", "12345678", status=1).output


def test_no_key_leaves_the_token(home: Path) -> None:
    import pkcs11
    from pkcs11 import Attribute

    run("keys", "--home", home, "init")
    run("keys", "--home", home, "add-bdk", "31415926", "--new")
    run("keys", "--home", home, "add-bdk", "12345678", "--components", "2",
        words=f"{bytes(16).hex()}\ny\n{BDK.hex()}\ny\n")  # fmt: skip
    where = host_keys.place(home)
    session = pkcs11.lib(where.module).get_token(token_label=where.token).open(user_pin=real_host.SECRET)
    found = list(session.get_objects())
    assert len(found) == 3
    for key in found:
        assert key[Attribute.SENSITIVE] and not key[Attribute.EXTRACTABLE] and key[Attribute.PRIVATE]
        with pytest.raises(pkcs11.PKCS11Error):
            _ = key[Attribute.VALUE]
    session.close()


def test_a_wrong_pin_and_a_missing_token_are_told(home: Path) -> None:
    with pytest.raises(SetupError, match="PinIncorrect"):
        host_keys.find(home, ask=lambda: "not the pin of it")
    (home / "kassa-host.toml").write_text(f'[keys]\npkcs11 = "{MODULE}"\ntoken = "nowhere"\n')
    with pytest.raises(SetupError, match="'nowhere'"):
        host_keys.find(home)
    (home / "kassa-host.toml").write_text('[keys]\npkcs11 = "/nowhere.so"\n')
    with pytest.raises(SetupError, match="/nowhere.so"):
        host_keys.find(home)
