# SPDX-License-Identifier: MIT
"""The cable is pulled at every step and at many bytes; garbage comes back. A second run finishes, or says what to do."""

from __future__ import annotations

import random
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests.harness.provision import inspection
from host_tests.harness.provision.bench import Chip
from host_tests.harness.provision.garbage import Port, raw_repl
from tools.provision import repl
from tools.provision.chip import Target
from tools.provision.device import Terminal
from tools.provision.errors import ChipFailed, LinkLost, NotKassa, ProvisionError, SecretThere, WrongBoard
from tools.provision.merchant_host import MerchantHost
from tools.provision.run import STEPS, run

TERMINAL = Terminal(terminal_id="KASSA077", language="en", supervisor_code="246813")
CUTS, AGAIN_CUTS = 20, 15
HOST_STEPS = ("register", "label")  # the chip is not asked for anything: the next step notices


def attempt(
    chip: Chip, unix: Target, host: MerchantHost, step: Callable[[str], None] = print, again: bool = False
) -> None:
    run(chip.port, [unix], TERMINAL, host, chip.home.parent / "labels", again=again, step=step)


def finish(chip: Chip, unix: Target, host: MerchantHost) -> bool:
    """Run again, and once more with `again` if the chip says that it is a terminal. Returns whether that was needed."""
    chip.pull_after = 0
    chip.plug()
    try:
        attempt(chip, unix, host)
        return False
    except SecretThere:
        attempt(chip, unix, host, again=True)
        return True


def assert_whole(chip: Chip) -> None:
    """One set of settings, one initial key, the one that the host has, card tables, and nothing left over."""
    chip.wait(lambda: chip.was_reset)
    (values,) = inspection.settings(chip.home)
    (key_id,) = inspection.key_ids(chip.home)
    assert values[0x01] == b"KASSA077" and inspection.staging_is_blank(chip.home) and inspection.cards_hold(chip.home)
    with sqlite3.connect(chip.home.parent / "host" / "host.db") as db:
        assert db.execute("SELECT tid, ikid FROM terminal").fetchall() == [("KASSA077", key_id)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers garbage is given up sooner. Not for a chip that works: the machine may be busy."""
    monkeypatch.setattr(repl, "_ENTER_S", 1)
    monkeypatch.setattr(repl, "_BYTE_S", 0.5)


@pytest.mark.parametrize("pulled", STEPS)
def test_a_cable_pulled_at_a_step_loses_nothing(chip: Chip, unix: Target, merchant: MerchantHost, pulled: str) -> None:
    reached: list[str] = []

    def step(name: str) -> None:
        reached.append(name)
        if name == pulled:
            chip.pull()

    if pulled == "connect":
        with pytest.raises(LinkLost):
            attempt(chip, unix, merchant, step)
    else:
        with pytest.raises(LinkLost, match="run the command again"):
            attempt(chip, unix, merchant, step)
    after = list(STEPS).index(pulled)
    assert reached == list(STEPS)[: after + 1 + (2 if pulled == "register" else 1 if pulled == "label" else 0)]
    secret = chip.secret if (chip.home / "efuse.bin").exists() else None
    assert (secret is not None) == (after > list(STEPS).index("secret"))
    assert finish(chip, unix, merchant) == (pulled in ("check", "restart"))
    assert secret is None or chip.secret == secret
    assert_whole(chip)


def test_a_cable_pulled_at_many_bytes_loses_nothing(
    new_chip: Callable[..., Chip], unix: Target, tmp_path: Path
) -> None:
    whole = new_chip("whole/terminal")
    host = MerchantHost(tmp_path / "whole" / "host", test_keys=True)
    attempt(whole, unix, host)
    host.close()
    total, done, terminals = whole.sent, 0, 0
    for number in range(CUTS):
        chip = new_chip(f"{number}/terminal")
        host = MerchantHost(tmp_path / str(number) / "host", test_keys=True)
        chip.pull_after = total * number // CUTS + 7
        with pytest.raises(ProvisionError) as failure:
            attempt(chip, unix, host)
        assert isinstance(failure.value, LinkLost)
        terminals += finish(chip, unix, host)
        assert_whole(chip)
        chip.pull()
        host.close()
        done += 1
    assert done == CUTS
    print(f"{done} cuts in {total} bytes, {terminals} after the settings")


def test_a_cable_pulled_while_a_terminal_is_provisioned_again_keeps_it_a_terminal(
    chip: Chip, unix: Target, merchant: MerchantHost
) -> None:
    """At every step and many bytes the chip holds settings that verify and one set of keys: it stays a terminal."""
    attempt(chip, unix, merchant)
    for pulled in STEPS:
        chip.pull()
        chip.plug()
        with pytest.raises(LinkLost):
            attempt(chip, unix, merchant, lambda name, at=pulled: chip.pull() if name == at else None, again=True)
        assert inspection.settings(chip.home) and len(inspection.key_ids(chip.home)) == 1, pulled
    chip.pull()
    chip.plug()
    attempt(chip, unix, merchant, again=True)
    total = chip.sent
    for number in range(AGAIN_CUTS):
        chip.pull()
        chip.pull_after = total * number // AGAIN_CUTS + 7
        chip.plug()
        with pytest.raises(LinkLost):
            attempt(chip, unix, merchant, again=True)
        assert inspection.settings(chip.home) and len(inspection.key_ids(chip.home)) == 1, chip.pull_after
    print(f"{len(STEPS)} steps and {AGAIN_CUTS} cuts in {total} bytes")
    chip.pull()
    assert finish(chip, unix, merchant)
    assert_whole(chip)


@pytest.mark.parametrize("at", STEPS)
def test_a_command_that_ends_while_lost_keys_are_replaced_goes_on_at_the_next_run(
    chip: Chip, unix: Target, merchant: MerchantHost, at: str
) -> None:
    """The keyring of a terminal rotted, and then the computer stops at a step: the chip keeps its terminal id."""

    def step(name: str) -> None:
        if name == at:
            raise KeyboardInterrupt

    attempt(chip, unix, merchant)
    chip.pull()
    inspection.rot(chip.home, "keyring")
    chip.plug()
    with pytest.raises(KeyboardInterrupt):
        attempt(chip, unix, merchant, step, again=True)
    chip.pull()
    assert finish(chip, unix, merchant)
    assert_whole(chip)


def line(text: bytes) -> bytes:
    return b"kassa: %08x %s\r\n" % (zlib.crc32(text), text)


@pytest.mark.parametrize(
    "answer",
    [
        lambda sent: b"",
        lambda sent: random.Random(1).randbytes(200),
        lambda sent: b"\r\nrst:0x10 (RTCWDT_RTC_RESET),boot:0x13\r\n" * 3,
        lambda sent: sent,
        raw_repl(b""),
        raw_repl(random.Random(2).randbytes(300).replace(b"\x04", b"")),
        raw_repl(b"kassa: 00000000 {}\r\n"),
        raw_repl(b"kassa: zz\r\n"),
        raw_repl(line(b"{}")[:-4]),
        raw_repl(line(b"[]")),
        raw_repl(line(b"{not json}")),
    ],
    ids="nothing noise boot-log echo no-answer noise-as-answer wrong-check no-check cut list no-json".split(),
)  # fmt: skip
@pytest.mark.usefixtures("quick")
def test_garbage_is_no_answer(
    answer: Callable[[bytes], bytes],
    unix: Target,
    merchant: MerchantHost,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Port(answer) as port, pytest.raises(LinkLost):
        run(port, [unix], TERMINAL, merchant, tmp_path)
    assert capsys.readouterr().out == ""


def test_a_port_that_does_not_exist_is_named(unix: Target, merchant: MerchantHost, tmp_path: Path) -> None:
    with pytest.raises(LinkLost, match="/dev/ttyNONE"):
        run("/dev/ttyNONE", [unix], TERMINAL, merchant, tmp_path)


def test_an_error_on_the_chip_is_told_by_its_last_line(unix: Target, merchant: MerchantHost, tmp_path: Path) -> None:
    answer = raw_repl(b"", b"Traceback (most recent call last):\r\n  File x\r\nMemoryError: \r\n")
    with Port(answer) as port, pytest.raises(ChipFailed, match="the chip says: MemoryError"):
        run(port, [unix], TERMINAL, merchant, tmp_path)


def untouched(chip: Chip) -> bool:
    return not (chip.home / "efuse.bin").exists() and not (chip.home / "flash.bin").read_bytes().strip(b"\xff")


def test_a_chip_without_kassa_and_another_board_are_refused(
    new_chip: Callable[..., Chip], unix: Target, merchant: MerchantHost
) -> None:
    bare = new_chip("bare", firmware=False)
    with pytest.raises(NotKassa, match="run make flash BOARD=unix first"):
        attempt(bare, unix, merchant)
    pico = new_chip("pico", firmware=False, esp32=False)
    with pytest.raises(NotKassa, match="no ESP32"):
        attempt(pico, unix, merchant)
    assert untouched(bare) and untouched(pico)


def test_the_name_of_another_board_is_refused(chip: Chip, unix: Target, merchant: MerchantHost) -> None:
    other = Target("kassa_s3", "esp32s3", unix.partitions)
    with pytest.raises(WrongBoard, match="kassa_s3 has an esp32s3"):
        attempt(chip, other, merchant)
    moved = Target("larger", unix.mcu, {**unix.partitions, "cards": (0x118000, 0x8000)})
    with pytest.raises(WrongBoard, match="not laid out for larger"):
        attempt(chip, moved, merchant)
    assert untouched(chip)


@pytest.mark.parametrize("label", ["cards", "settings", "keyring"])
def test_flash_that_does_not_hold_what_was_written_is_noticed(
    new_chip: Callable[..., Chip], unix: Target, merchant: MerchantHost, label: str
) -> None:
    chip = new_chip(worn=label)
    with pytest.raises(ChipFailed, match=f"{label} does not hold what was written"):
        attempt(chip, unix, merchant)
    assert inspection.settings(chip.home) == []
