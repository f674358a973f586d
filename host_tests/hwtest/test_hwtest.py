# SPDX-License-Identifier: MIT
"""`make hwtest` on the Unix board: the table of a whole board, of missing and faulty parts, and what a person does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests.hwtest.conftest import Line, hwtest, rows
from tools.cards.catalogue import make
from tools.hwtest import __main__ as command
from tools.hwtest.__main__ import PARTS, Run
from tools.hwtest.console import Console
from tools.hwtest.rows import Row
from tools.world import World
from tools.world.keypad import KEYS

ATTENDED = {"unattended": False, "seconds": 3, "erase": ""}


def test_a_whole_board_without_a_person(bare_board: World, line: Line) -> None:
    bare_board.power_on()
    result = hwtest(line, "--unattended")
    found = rows(result)
    assert result.exit_code == 0 and {outcome for outcome, _ in found.values()} == {"pass", "skip"}
    assert {name for name, (outcome, _) in found.items() if outcome == "skip"} == {
        "keypad key 1",
        "reader card",
        "scanner code",
    }
    assert {name.split()[0] for name in found} == {part.replace("wifi", "Wi-Fi") for part in PARTS}
    assert found["flash journal"][1].startswith("1024 KiB")
    assert found["flash journal read"][1] == "0 of 256 sectors hold data"
    assert found["display answer"][1] == "0A: 9c, 04: 00000000, D3: 00009341"
    assert found["reader setup"][1] == "PN532 firmware 1.6"
    for fact in ("- board: unix", "- chip: linux", "- MicroPython: 3.4.0", "- firmware: 0.1.0"):
        assert fact in result.stdout
    assert bare_board.flash_ops.programs == bare_board.flash_ops.erases == 0
    assert "Kassa hardware test" in bare_board.receipts[-1].text()
    assert bare_board.resets == [5]  # it restarts at the end
    assert (bare_board.home / "efuse.bin").read_bytes().hex() not in result.output


def attended(world: World, line: Line, parts: tuple[str, ...], hands: Callable[[str], None], answer: bool) -> list[Row]:
    """Run parts with a person: `hands` is called with each line shown, `answer` is the reply to every question."""
    console = Console(line.path)
    run = Run(console, ATTENDED, lambda question: answer, hands)
    for part in parts:
        run.part(part)
    console.close()
    return run.rows


def person(world: World) -> Callable[[str], None]:
    """The hands of somebody who does what is asked."""

    def act(shown: str) -> None:
        if shown.startswith(">> press "):
            world.press(shown.split()[2])
        elif shown.startswith(">> hold a card"):
            world.place(make("jade"))
        elif shown.startswith(">> scan"):
            world.scan("134567890123456788")

    return act


def test_a_person_presses_each_key_holds_a_card_and_scans_a_code(bare_board: World, line: Line) -> None:
    bare_board.power_on()
    found = attended(bare_board, line, ("keypad", "reader", "scanner"), person(bare_board), True)
    assert [row.result for row in found] == ["pass"] * len(found)
    assert [row.test[4:] for row in found if row.test.startswith("key ")] == list(KEYS)
    notes = {row.test: row.note for row in found}
    assert notes["card"].endswith("status 9000") and notes["code"] == "18 digits"
    assert "476173" not in str(found) and "1345678" not in str(found)


def test_a_person_who_sees_and_hears_nothing_fails_the_row(bare_board: World, line: Line) -> None:
    bare_board.power_on()
    found = attended(bare_board, line, ("display", "printer", "buzzer"), person(bare_board), False)
    assert {row.test for row in found if row.result == "FAIL"} == {"colour bars", "text", "a line", "beeps"}
    assert all(row.note.startswith("the person says no") for row in found if row.result == "FAIL")
    pixels = bare_board.chips.display.pixels
    bare_board.power_off()
    assert bare_board.beeps == ["short", "long", "three"]
    assert pixels[:2] == b"\xff\xff"  # the white bar


def test_a_wrong_key_and_a_key_that_nobody_presses(bare_board: World, line: Line) -> None:
    bare_board.power_on()

    def act(shown: str) -> None:
        if shown.startswith(">> press 1 "):
            bare_board.press("2")

    found = attended(bare_board, line, ("keypad",), act, True)
    results = {row.test: (row.result, row.note) for row in found}
    assert results["key 1"] == ("FAIL", "ValueError it reads as 2: rows or columns are exchanged")
    assert [results[f"key {key}"][0] for key in "23C456B789UM0DE"] == ["absent"] * 3 + ["skip"] * 12


def test_a_key_that_is_stuck(bare_board: World, line: Line) -> None:
    bare_board.power_on()
    bare_board.hold("5")
    found = rows(hwtest(line, "--unattended", "--part", "keypad"))
    assert found["keypad at rest"][0] == "absent" and "pressed: 5 " in found["keypad at rest"][1] and len(found) == 1


def test_missing_parts_are_absent_and_say_what_to_check(bare_board: World, line: Line) -> None:
    chips = bare_board.chips
    chips.unplug_display()
    chips.reader_link.faults.silent = True
    chips.printer.receive = lambda data: None  # type: ignore[method-assign]
    bare_board.radio.state, bare_board.radio.others = "off", ()
    bare_board.power_on()
    result = hwtest(line, "--unattended")
    found = rows(result)
    assert result.exit_code == 1
    absent = {name: note for name, (outcome, note) in found.items() if outcome == "absent"}
    assert set(absent) == {"display answer", "reader setup", "printer status", "Wi-Fi scan"}
    assert all(note.startswith("check ") for note in absent.values())
    assert "switches" in absent["reader setup"] and "its own supply" in absent["printer status"]
    assert not any(outcome == "FAIL" for outcome, _ in found.values())


def test_a_printer_without_paper_fails(bare_board: World, line: Line) -> None:
    bare_board.chips.printer.paper = False
    bare_board.power_on()
    found = rows(hwtest(line, "--unattended", "--part", "printer"))
    assert found == {"printer status": ("FAIL", "PrinterFault no paper")}


@pytest.mark.parametrize("label", ["journal", "cards"])
def test_a_blank_partition_is_erased_and_programmed_only_if_asked(bare_board: World, line: Line, label: str) -> None:
    before = (bare_board.home / "flash.bin").read_bytes()
    bare_board.power_on()
    found = rows(hwtest(line, "--unattended", "--part", "flash", "--erase-blank", label))
    assert found["flash erase and program"][0] == "pass"
    assert (bare_board.flash_ops.erases, bare_board.flash_ops.programs) == (2, 1)
    assert set(bare_board.flash_ops.by_partition) == {label}
    assert (bare_board.home / "flash.bin").read_bytes() == before


@pytest.mark.parametrize("at", [0, 0x7FFF, 0xFFFFF])
def test_a_partition_with_one_byte_of_data_is_never_written(bare_board: World, line: Line, at: int) -> None:
    image = bytearray((bare_board.home / "flash.bin").read_bytes())
    image[at] = 0xFE
    (bare_board.home / "flash.bin").write_bytes(image)
    bare_board.power_on()
    found = rows(hwtest(line, "--unattended", "--part", "flash", "--erase-blank", "journal"))
    assert found["flash erase and program"] == ("skip", "not blank: 1 sectors hold data, nothing was written")
    assert bare_board.flash_ops.erases == bare_board.flash_ops.programs == 0
    assert (bare_board.home / "flash.bin").read_bytes() == bytes(image)


def test_a_part_that_hangs_or_raises_is_a_row_and_the_next_part_runs(
    bare_board: World, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Path(command.__file__).parent / "device"
    for name in ("common", "printer"):
        (tmp_path / f"{name}.py").write_text((device / f"{name}.py").read_text())
    hang = "async def work():\n    while True: pass\nstart(lambda it: row('flash', 'a loop', work, 100))\n"
    (tmp_path / "flash.py").write_text(hang)
    (tmp_path / "display.py").write_text("raise OSError(19)\n")
    monkeypatch.setattr(command, "DEVICE", tmp_path)
    monkeypatch.setattr(command, "_GRACE_S", 0.5)
    bare_board.power_on()
    found = rows(hwtest(line, "--unattended", "--part", "flash", "--part", "display", "--part", "printer"))
    assert found["flash a loop"] == ("FAIL", "hung; interrupted")
    assert found["display start"] == ("FAIL", "OSError: 19") or found["display start"][1].startswith("OSError")
    assert found["printer a line"][0] == "pass"
