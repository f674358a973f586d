# SPDX-License-Identifier: MIT
"""Settings: values survive a restart, a power cut leaves the old or the new value, and a changed byte is rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import TEARS
from tools.device_key import device_key
from tools.provision.device import settings_blob

SECRET = bytes(range(7, 39))
KEY = device_key(SECRET, b"settings")
SIZE = 8 * 4096
LANGUAGE, NAME, PORT = 0x0D, 0x03, 0x06
VALUES = {0x01: b"KASSA001", NAME: "老街茶馆".encode(), PORT: b"\x21\x87", 0x07: bytes(range(256)) * 3, LANGUAGE: b"zh"}


class Values:
    """A settings partition in a file."""

    def __init__(self, inside: Inside, path: Path) -> None:
        self.inside, self.path = inside, path

    def set(self, data: bytes) -> Values:
        self.path.write_bytes(data.ljust(SIZE, b"\xff"))
        return self

    def live(self, steps: list[list[Any]], cut: int = 0, tear: str = "none") -> dict[str, Any]:
        kind, _, number = tear.partition(":")
        tear, seed = (kind, int(number)) if kind == "random" else (tear, 1)
        return self.inside("keys", "settings", str(self.path), SECRET.hex(), steps, cut, tear, seed)

    def get(self, wanted: int) -> bytes:
        result = self.live([["get", wanted]])
        assert not result["error"], result
        return bytes.fromhex(result["values"][0])


@pytest.fixture
def values(inside: Inside, tmp_path: Path) -> Values:
    return Values(inside, tmp_path / "settings.bin").set(settings_blob(KEY, VALUES))


def test_provisioned_values_are_read_and_a_missing_one_is_an_error(values: Values) -> None:
    assert {wanted: values.get(wanted) for wanted in VALUES} == VALUES
    assert values.live([["get", 0x0C]])["error"] == "SettingsError"


def test_opening_returns_the_wanted_values_as_get_does(values: Values) -> None:
    wanted = {*VALUES, 0x0C} - {PORT}
    for name in (VALUES[NAME], b"another name", b""):
        opened = values.live([["put", NAME, name.hex()], ["open", sorted(wanted)]])["values"][0]
        assert {key: bytes.fromhex(value) for key, value in opened} == {
            **{key: VALUES[key] for key in wanted & VALUES.keys()},
            NAME: name,
        }
    assert values.live([["open", []]])["values"] == [[]]


def test_a_stored_value_and_all_others_survive_a_restart(values: Values) -> None:
    for life in range(5):
        language = (b"en", b"zh")[life % 2]
        assert not values.live([["put", LANGUAGE, language.hex()], ["put", 0x0B, f"secret {life}".encode().hex()]])[
            "error"
        ]
        expected = {**VALUES, LANGUAGE: language, 0x0B: f"secret {life}".encode()}
        assert {wanted: values.get(wanted) for wanted in expected} == expected
    image = values.path.read_bytes()
    assert (
        b"secret" not in image
        and VALUES[NAME] not in image
        and sum(image[at : at + 2] == b"KS" for at in (0, 4096)) == 1
    )


def test_a_power_cut_at_any_operation_of_put_leaves_the_old_or_the_new_value(values: Values) -> None:
    """The other values are unchanged, and the next change works."""
    cuts = 0
    values.live([["put", LANGUAGE, b"en".hex()]])
    start = values.path.read_bytes()
    step = ["put", LANGUAGE, b"zh".hex()]
    total = values.live([step])["operations"]
    for operation in range(1, total + 1):
        for tear in TEARS:
            values.path.write_bytes(start)
            assert values.live([step], operation, tear)["cut"]
            assert values.get(LANGUAGE) in (b"en", b"zh")
            assert values.get(0x07) == VALUES[0x07]
            assert not values.live([["put", LANGUAGE, b"fr".hex()]])["error"]
            assert values.get(LANGUAGE) == b"fr"
            cuts += 1
    print(f"{cuts} cuts")
    assert cuts >= 5 * len(TEARS)


def copies(pid: int, mark: bytes) -> int:
    """How often `mark` occurs in the writable memory of a process: its heap and stacks. Reads /proc (Linux)."""
    found = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, access = line.split()[:2]
            first, end = (int(address, 16) for address in span.split("-"))
            if access.startswith("rw"):
                memory.seek(first)
                found += memory.read(end - first).count(mark)
    return found


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads the interpreter's memory as Linux shows it")
def test_a_rewrite_leaves_no_secret_in_memory(inside: Inside, tmp_path: Path) -> None:
    """The values that are rewritten along are secret too. A buffer that grows would leave its outgrown pieces in the heap.

    The process is new and its heap large, so that nothing is collected or overwritten. Its heap is full of holes, so that
    a buffer cannot grow where it is. A value that was read is found.
    """
    mark = VALUES[0x07][17:49]
    with Inside(inside.interpreter) as fresh:
        values = Values(fresh, tmp_path / "settings.bin").set(settings_blob(KEY, VALUES))
        for language in (b"en", b"zh"):
            fresh("keys", "comb")
            assert not values.live([["put", LANGUAGE, language.hex()], ["put", 0x0B, bytes(300).hex()]])["error"]
            assert copies(fresh.pid, mark) == 0
        values.get(0x07)
        assert copies(fresh.pid, mark) > 0


def test_a_changed_byte_is_rejected(values: Values) -> None:
    blob = settings_blob(KEY, VALUES)
    for offset in range(0, len(blob), 3):
        bad = bytearray(blob)
        bad[offset] ^= 0x10
        assert values.set(bytes(bad)).live([["get", LANGUAGE]])["error"] == "SettingsError", offset


@pytest.mark.parametrize("data", [b"", bytes(SIZE), b"KS\x01\0" * (SIZE // 4), settings_blob(bytes(16), VALUES)])
def test_a_partition_without_valid_settings_is_an_error(values: Values, data: bytes) -> None:
    assert values.set(data).live([])["error"] == "SettingsError"


def test_a_value_that_is_too_long_is_refused_and_the_old_ones_stay(values: Values) -> None:
    assert values.live([["put", 0x08, bytes(4096).hex()]])["error"] == "SettingsError"
    assert values.get(LANGUAGE) == b"zh"
