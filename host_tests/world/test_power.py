# SPDX-License-Identifier: MIT
"""Power: switching on and off, cuts during flash operations, resets, the watchdog, and errors on the console."""

import os

import pytest

from boards.unix import wiring
from tools.world import WorldError
from tools.world.flash import CHIP_SIZE

WRITER = """
import asyncio, esp32
journal = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")[0]
async def main():
    await asyncio.sleep(1)
    for page in range(8):
        journal.writeblocks(0, bytes((page,)) * 256, page * 256)
        print("wrote", page)
    journal.ioctl(6, 0)
    print("erased")
    await asyncio.sleep(1000)
asyncio.run(main())
"""
REST = """
import asyncio
async def main():
    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""


def test_the_flash_file_and_counters_follow_the_operations(new_world) -> None:
    world = new_world(WRITER)
    assert (world.home / "flash.bin").read_bytes() == b"\xff" * CHIP_SIZE
    world.power_on()
    world.wait(lambda: "erased" in world.console, "the erase")
    world.run_for(10)
    ops = world.flash_ops
    assert (ops.programs, ops.erases, ops.bytes) == (8, 1, 2048)
    assert ops.by_partition["journal"] == (ops.by_partition["journal"].__class__)(8, 1, 2048)
    world.power_off()
    assert not world.on
    assert (world.home / "flash.bin").read_bytes() == b"\xff" * CHIP_SIZE


@pytest.mark.parametrize(("tear", "kept"), [("none", 0), ("prefix:32", 32), ("half", 128), ("all", 256)])
@pytest.mark.parametrize("when", ["before power-on", "while running"])
def test_power_is_cut_at_the_nth_operation(new_world, tear: str, kept: int, when: str) -> None:
    world = new_world(WRITER)
    if when == "before power-on":
        world.cut_at(4, tear)
        world.power_on()
    else:
        world.power_on()
        world.run_for(10)
        world.cut_at(4, tear)
    world.wait_off()
    assert world.console.splitlines() == ["wrote 0", "wrote 1", "wrote 2"]
    flash = (world.home / "flash.bin").read_bytes()
    assert flash[: 3 * 256] == bytes(256) + b"\x01" * 256 + b"\x02" * 256
    assert flash[3 * 256 : 1024] == b"\x03" * kept + b"\xff" * (256 - kept)
    assert flash[1024:] == b"\xff" * (CHIP_SIZE - 1024)


def test_a_cut_erase_is_not_reported_as_done(new_world) -> None:
    world = new_world(WRITER)
    world.cut_at(9, "half")
    world.power_on()
    world.wait_off()
    flash = (world.home / "flash.bin").read_bytes()
    assert flash[:2048] == b"\xff" * 2048 and "erased" not in world.console
    assert world.flash_ops.erases == 0


def test_a_restart_finds_the_torn_page(new_world) -> None:
    world = new_world("""
        import esp32, machine
        journal = esp32.Partition("journal")
        page = bytearray(256)
        journal.readblocks(0, page, 0)
        print("found", page.count(b"\\x01"), "cause", machine.reset_cause())
        journal.writeblocks(0, b"\\x01" * 128 + b"\\x02" * 128, 0)
        journal.writeblocks(0, b"\\x03" * 128, 0)
    """)
    world.cut_at(1, "prefix:48")
    world.power_on()
    world.wait_off()
    world.power_on()
    with pytest.raises(WorldError, match="programmed twice"):
        world.wait_off()
    assert "found 0 cause 1\nfound 48 cause 1\n" in world.console


def test_secret_and_address_of_a_board_never_change(new_world) -> None:
    script = """
        import machine
        print(machine.unique_id().hex(), open("efuse.bin", "rb").read().hex())
    """
    first, second, other = new_world(script), new_world(script), new_world(script, home="other")
    for world in (first, second, other):
        world.power_on()
        world.wait_off()
    lines = first.console.splitlines()
    assert lines[0] == lines[1] != other.console.splitlines()[0]
    assert os.stat(first.home / "efuse.bin").st_mode & 0o222 == 0


def test_a_reset_restarts_with_its_cause(run_script) -> None:
    world = run_script("""
        import asyncio, machine
        print("cause", machine.reset_cause())
        async def main():
            await asyncio.sleep(1)
            if machine.reset_cause() == machine.PWRON_RESET:
                machine.reset()
        asyncio.run(main())
    """)
    world.wait(lambda: "cause 5" in world.console, "the second life")
    assert world.resets == [wiring.SOFT_RESET]


def test_the_watchdog_resets_firmware_that_does_not_feed_it(run_script) -> None:
    world = run_script("""
        import asyncio, machine
        print("cause", machine.reset_cause())
        async def main():
            if machine.reset_cause() == machine.PWRON_RESET:
                machine.WDT(timeout=5000)
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    world.wait(lambda: "cause 3" in world.console, "the watchdog")
    assert world.resets == [wiring.WATCHDOG_RESET]


DYING_TASK = """
import asyncio
async def sub():
    raise ValueError("in a task")
async def main():
    asyncio.create_task(sub())
    await asyncio.sleep(9)
asyncio.run(main())
"""


@pytest.mark.parametrize(("script", "what"), [("1 / 0", "ZeroDivisionError"), (DYING_TASK, "in a task")])
def test_a_traceback_is_an_error(run_script, script: str, what: str) -> None:
    world = run_script(script)
    with pytest.raises(WorldError, match=f"(?s)traceback.*{what}"):
        world.run_for(20000)


def test_a_traceback_is_an_error_on_close(new_world) -> None:
    world = new_world("raise ValueError('late')")
    world.power_on()
    while world.on:
        pass
    with pytest.raises(WorldError, match="late"):
        world.close()


def test_no_process_is_left_behind(new_world) -> None:
    world = new_world(REST)
    world.power_on()
    process = world._power._process
    world.run_for(1000)
    world.close()
    assert process is not None and process.returncode is not None


def test_the_heap_report_counts_live_used_and_free_bytes(run_script) -> None:
    world = run_script("garbage = bytes(50000)\ngarbage = None\n" + REST)
    heap = world.heap()
    assert heap.live <= heap.used and heap.used + heap.free > 50000
