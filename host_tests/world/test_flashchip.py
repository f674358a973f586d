# SPDX-License-Identifier: MIT
"""The virtual NOR flash chip: rules, torn operations, and no allocation. Runs in MicroPython without a world."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.world.power import BOARD

CHIP = """
import io, sys
import micropython
from flashchip import FlashChip, FlashMisuse, PowerCut, Region, open_store
store = io.BytesIO(b"\\xff" * 16384)
chip = FlashChip(store, 16384)
region = Region(chip, 4096, 8192)
page = bytes(range(256))
def attempt(call, *arguments):
    try:
        call(*arguments)
        return "done"
    except (FlashMisuse, PowerCut, OSError) as error:
        return type(error).__name__
def content(start, size):
    store.seek(start)
    return store.read(size)
"""

Run = Callable[[str], list[str]]


@pytest.fixture
def run(micropython: str, tmp_path: Path) -> Run:
    """Runs a script after `CHIP`, which makes the chip. Returns the printed lines."""

    def run(script: str) -> list[str]:
        file = tmp_path / "case.py"
        file.write_text(CHIP + script)
        paths = {"MICROPYPATH": f"{BOARD}:.frozen"}
        done = subprocess.run(
            [micropython, str(file)],
            env={**os.environ, **paths},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
        return done.stdout.splitlines()

    return run


def test_data_are_programmed_page_by_page_and_operations_are_counted(run: Run) -> None:
    assert run("""
chip.program(16, page + page)
print(chip.programs, chip.bytes_programmed, content(0, 544) == b"\\xff" * 16 + page + page + b"\\xff" * 16)
into = bytearray(512)
chip.read(16, into)
print(into == page + page, chip.reads, chip.bytes_read)
chip.erase(0)
print(chip.erases, content(0, 16384) == b"\\xff" * 16384)
""") == ["3 512 True", "True 1 512", "1 True"]


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ("chip.program, 8, page", "FlashMisuse"),
        ("chip.program, 16, page[:8]", "FlashMisuse"),
        ("chip.read, 4, bytearray(16)", "FlashMisuse"),
        ("chip.read, 16, bytearray(17)", "FlashMisuse"),
        ("chip.program, 16384, page", "FlashMisuse"),
        ("chip.erase, 2048", "FlashMisuse"),
        ("chip.program, 256, page", "FlashMisuse"),  # would change bits from 0 to 1
        ("chip.program, 256, bytes(16)", "FlashMisuse"),  # only 1 to 0, but the cell is already programmed
        ("chip.program, 256, bytes(64)", "FlashMisuse"),
        ("chip.program, 256, b'\\x55' * 16", "done"),  # programming the same data again is allowed
        ("chip.program, 288, page[:16]", "done"),  # a blank cell of a page that is not blank
        ("region.readblocks, 2, bytearray(16)", "OSError"),
        ("region.readblocks, 1, bytearray(16), 4096", "OSError"),
        ("region.writeblocks, 0, page", "OSError"),  # writes with erase must be whole blocks
        ("region.writeblocks, 0, page, 0", "done"),
        ("region.writeblocks, 1, bytes(4096)", "done"),
        ("region.ioctl, 6, 2", "OSError"),
    ],
)
def test_operations_that_break_the_rules_are_refused(run: Run, call: str, outcome: str) -> None:
    assert run(f"chip.program(256, b'\\x55' * 32)\nprint(attempt({call}))") == [outcome]


def test_a_region_has_the_interface_of_a_partition(run: Run) -> None:
    assert run("""
print(region.ioctl(4, 0), region.ioctl(5, 0), region.ioctl(1, 0), region.ioctl(3, 0), region.ioctl(9, 0))
region.writeblocks(0, page, 256)
region.writeblocks(0, bytes(4096))
print(chip.erases, content(4096, 4096) == bytes(4096), content(0, 4096) == content(8192, 4096) == b"\\xff" * 4096)
region.writeblocks(1, page, 512)
into = bytearray(256)
region.readblocks(1, into, 512)
print(into == page, region.ioctl(6, 1), content(8192, 4096) == b"\\xff" * 4096)
""") == ["2 4096 0 0 None", "1 True True", "True 0 True"]


PREFIXES = [*range(0, 257, 16)]


def test_a_torn_program_leaves_the_requested_prefix(run: Run) -> None:
    """Nothing, every prefix, half and all of a page. The neighbouring pages are unchanged."""
    lines = run(f"""
for tear, kept in [("none", 0), ("half", 128), ("all", 256)] + [("prefix:%d" % n, n) for n in {PREFIXES}]:
    chip = FlashChip(store, 16384)
    chip.erase(0)
    chip.program(256, page)
    chip.cut_at(1, tear)
    outcome = attempt(chip.program, 512, page)
    after = attempt(chip.program, 1024, page), attempt(chip.read, 0, bytearray(16))
    good = content(0, 4096) == b"\\xff" * 256 + page + page[:kept] + b"\\xff" * (3584 - kept)
    print(outcome, after == ("PowerCut", "PowerCut"), good)
""")
    assert lines == ["PowerCut True True"] * (3 + len(PREFIXES))


def test_a_torn_erase_leaves_the_requested_prefix(run: Run) -> None:
    lines = run(f"""
cases = [("none", 0), ("half", 2048), ("all", 4096)] + [("prefix:%d" % n, n) for n in {[*range(0, 4097, 256)]}]
for tear, kept in cases:
    chip = FlashChip(store, 16384)
    chip.erase(0)
    chip.program(0, bytes(4096))
    chip.cut_at(1, tear)
    print(attempt(chip.erase, 0), content(0, 4096) == b"\\xff" * kept + bytes(4096 - kept))
""")
    assert lines == ["PowerCut True"] * 20


def test_random_tears_mix_old_and_new_bits_and_depend_only_on_the_seed(run: Run) -> None:
    lines = run("""
def ones(data):
    return sum(bin(byte).count("1") for byte in data)
def torn(seed, erase):
    chip = FlashChip(store, 16384)
    chip.erase(0)
    if erase:
        chip.program(0, bytes(4096))
    chip.cut_at(1, "random", seed)
    attempt(chip.erase, 0) if erase else attempt(chip.program, 0, bytes(256))
    return content(0, 4096 if erase else 256)
for erase, bits in ((False, 2048), (True, 32768)):
    one, again, other = torn(1, erase), torn(1, erase), torn(2, erase)
    print(one == again, one != other, bits * 0.4 < ones(one) < bits * 0.6)
""")
    assert lines == ["True True True"] * 2


def test_a_cut_happens_once_at_the_given_operation(run: Run) -> None:
    assert run("""
chip.cut_at(3, "none")
print([attempt(chip.program, at, page) for at in (0, 256)], attempt(chip.erase, 0), chip.programs, chip.erases)
chip = FlashChip(store, 16384)
chip.cut_at(2)
chip.cut_at(0)
print([attempt(chip.erase, at) for at in (0, 4096, 8192)])
cuts = []
chip.on_cut = lambda: cuts.append(1)
chip.cut_at(1)
print(attempt(chip.erase, 0), cuts)
""") == ["['done', 'done'] PowerCut 2 0", "['done', 'done', 'done']", "PowerCut [1]"]


def test_no_call_allocates_memory(run: Run) -> None:
    assert run("""
calls = bytearray(1)
def listen(is_erase, address, size):
    calls[0] += 1
into, data, odd = bytearray(256), bytearray(page), bytearray(512)
chip.listener = listen
for again in range(2):
    if again:
        micropython.heap_lock()
    region.writeblocks(0, data, 0)
    region.writeblocks(0, odd, 384)
    region.readblocks(0, into, 0)
    region.ioctl(6, 0)
micropython.heap_unlock()
print(into == page, calls[0])
""") == ["True 10"]


def test_the_file_holds_the_contents_of_the_chip(run: Run) -> None:
    assert run("""
chip = FlashChip(open_store("new.bin", 8192), 8192)
chip.program(4096, page)
again = FlashChip(open_store("new.bin", 8192), 8192)
into = bytearray(256)
again.read(4096, into)
with open("new.bin", "rb") as file:
    print(into == page, len(file.read()))
""") == ["True 8192"]
