# SPDX-License-Identifier: MIT
"""Firmware from a romfs image: compiled, and outside the terminal's heap if the interpreter can map the image."""

import subprocess
from pathlib import Path

import pytest

from tools.bench.romfs import build
from tools.world import World

SCRIPT = """
import asyncio, sys
print(__file__, sys.path)
big = open("/rom/picture.bin", "rb").read(4)
print(big)
async def main():
    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""
PICTURE = bytes(range(256)) * 2000


@pytest.fixture
def image(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "main.py").write_text(SCRIPT)
    (tree / "picture.bin").write_bytes(PICTURE)
    return build(tmp_path / "build" / "out.romfs", tree)


def can_map(micropython: str) -> bool:
    return subprocess.run([micropython, "-c", "import ffi"], capture_output=True).returncode == 0


def test_the_terminal_runs_from_an_image(new_world, micropython: str, image: Path) -> None:
    heap = "64k" if can_map(micropython) else None
    world: World = new_world(source=image, heap=heap)
    world.power_on()
    world.run_for(3000)
    assert world.console.splitlines() == ["/rom/main.mpy ['/rom', '.frozen']", "b'\\x00\\x01\\x02\\x03'"]
    report = world.heap()
    if heap:
        assert report.live < 32 * 1024 and report.used + report.free <= 64 * 1024


def test_power_cuts_and_tracebacks_work_from_an_image(new_world, tmp_path: Path) -> None:
    tree = tmp_path / "tree2"
    tree.mkdir()
    (tree / "main.py").write_text("import esp32\nesp32.Partition('journal').ioctl(6, 0)\nprint('erased')\n1 / 0\n")
    world: World = new_world(source=build(tmp_path / "out2.romfs", tree))
    world.cut_at(1)
    world.power_on()
    world.wait_off()
    assert world.console == ""
    world.power_on()
    with pytest.raises(AssertionError, match='(?s)erased.*"main", line 4.*ZeroDivisionError'):
        world.wait_off()


def test_the_same_tree_gives_the_same_image(tmp_path: Path) -> None:
    assert build(tmp_path / "a.romfs").read_bytes() == build(tmp_path / "b.romfs").read_bytes()
