# SPDX-License-Identifier: MIT
"""Power cuts at every flash operation of a sale, and flash that does not contain a journal."""

import os
import shutil
from functools import partial

import pytest

from host_tests.harness.long_runs import LONG
from host_tests.harness.whole.cashier import QUICK
from tools.demo import __main__ as demo
from tools.whole_system import WholeSystem

_TEARS = ["none", "half", "random", *(f"prefix:{size}" for size in range(16, 256, 32))]


def _of(tears: list[str], cut: int) -> list[str]:
    """The tears to try at a cut: all in `make long`, otherwise every third, from another one at each cut."""
    return tears if LONG else tears[cut % 3 :: 3]


def test_power_cut_at_every_operation_of_an_offline_sale(make_cashier, tmp_path) -> None:
    """One sale without a cut counts its operations; then each is cut, with some tears, from the same flash image."""
    cashier = make_cashier()
    cashier.sign_on()
    cashier.go_offline()
    cashier.sell(2000, "amber", "Accepted")
    cashier.world.run_for(3000)
    home = cashier.world.home
    cashier.world.power_off()
    before = tmp_path / "before.bin"
    shutil.copy(home / "flash.bin", before)
    operations = _sell_after_boot(cashier, 0)
    runs = 0
    for cut in range(1, operations + 1):
        for tear in _of(_TEARS if cut == operations else _TEARS[:3], cut):
            shutil.copy(before, home / "flash.bin")
            assert _sell_after_boot(cashier, cut, tear) == 0
            said = " ".join(cashier.back())
            cashier.home()
            records = cashier.journal().records
            if len(records) == 2:
                assert "Accepted" in said and "¥47.25" in said
            else:
                assert "¥20.00" in said or "Not taken" in said
            assert [record.amount for record in records.values()] in ([2000], [2000, 4725])
            assert len({record.uid for record in records.values()}) == len(records)
            cashier.world.power_off()
            runs += 1
    print(f"operations {operations} runs {runs}")
    assert operations >= 4  # the key block is reserved in this sale, then the record is written


def _sell_after_boot(cashier, cut: int, tear: str = "none") -> int:
    """Boot, take a supervised offline sale of 47.25, power dying at operation `cut` of it; operations done, 0 when cut."""
    cashier.back()
    world = cashier.world
    cashier.home()
    world.press("4725E")
    world.wait_screen("supervisor needed")
    start = world.flash_ops.programs + world.flash_ops.erases
    world.press("E")
    world.wait_screen("Supervisor code")
    if cut:
        world.cut_at(cut, tear)
    world.press("246813E")
    world.wait(lambda: not world.on or cashier.sees("Present card"), "the card's turn", 30)
    if world.on:
        world.place(cashier.card("lotus"))
        world.wait(lambda: not world.on or cashier.sees("Accepted"), "the end of the sale", 30)
    world.remove()
    if not world.on:
        return 0
    done = world.flash_ops.programs + world.flash_ops.erases - start
    world.power_off()
    return done


@pytest.mark.parametrize("operation", [1, 2])
def test_an_online_sale_cut_before_its_answer_is_stored_is_reversed(cashier, operation: int) -> None:
    """Operation 1 writes the intent, 2 the mark of its answer. After a cut at either, the host is told and totals agree."""
    cashier.world.run_for(3000)
    cashier.world.cut_at(operation, "half")
    cashier.offer(4725, "lotus")
    cashier.world.wait_off(30)
    cashier.world.remove()
    said = " ".join(cashier.back())
    assert "Not taken" in said or "Cancelled, reversal pending" in said or "Reversed" in said
    cashier.home()
    cashier.await_reversal()
    assert cashier.agree() == 0
    cashier.sell(100, "amber")
    assert "¥1.00" in cashier.settle()


@pytest.mark.parametrize("content", ["noise", "zeros"])
def test_a_terminal_with_a_damaged_journal_sells_nothing_and_changes_nothing(make_cashier, content: str) -> None:
    cashier = make_cashier()
    path = cashier.world.home / "flash.bin"
    image = bytearray(path.read_bytes())
    image[: 1 << 20] = os.urandom(1 << 20) if content == "noise" else bytes(1 << 20)
    path.write_bytes(image)
    cashier.world.power_on()
    cashier.world.wait_screen("Journal damaged", 30)
    cashier.world.press("100E")
    cashier.world.run_for(5000)
    assert cashier.sees("Journal damaged")
    cashier.world.power_off()
    assert path.read_bytes()[: 1 << 20] == image[: 1 << 20]


def test_a_terminal_without_keys_or_settings_reports_it(make_cashier) -> None:
    cashier = make_cashier()
    path = cashier.world.home / "flash.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:0x100000] + b"\xff" * 0x8000 + whole[0x108000:])
    cashier.world.power_on()
    cashier.world.wait_screen("Keys missing", 30)
    cashier.world.power_off()
    path.write_bytes(whole[:0x108000] + b"\xff" * 0x8000)
    cashier.world.power_on()
    cashier.world.wait_screen("未", 30)


def test_the_demo_agrees_without_a_cut_and_with_each_cut(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(demo, "WholeSystem", partial(WholeSystem, source=QUICK))
    whole = demo.perform(tmp_path / "whole", 0, "none")
    assert whole["agree"] and whole["accepted_deferred"] == 4 and whole["operations"] >= 1, whole
    for cut in range(1, whole["operations"] + 1):
        for tear in _of(["none", "prefix:112", "all"], whole["operations"] - cut + 2):
            summary = demo.perform(tmp_path / f"cut{cut}-{tear[:4]}", cut, tear)
            assert summary["agree"] and summary["cut"] == cut, summary
            assert summary["accepted_deferred"] == (4 if tear == "all" and cut == whole["operations"] else 3)
            assert summary["pending"] == 0
    beyond = demo.perform(tmp_path / "beyond", whole["operations"] + 1, "none")
    assert not beyond["agree"] and "flash operations" in beyond["no_cut"]


def test_an_unfinished_payment_is_reported_only_once(cashier) -> None:
    cashier.go_offline()
    cashier.sell(2000, "amber", "Accepted")
    cashier.world.run_for(3000)
    cashier.world.cut_at(1, "half")
    cashier.offer(4725, "lotus")
    cashier.world.wait_off(30)
    cashier.world.remove()
    assert "Not taken" in " ".join(cashier.back())
    cashier.home()
    assert "Not taken" not in " ".join(cashier.restart())
