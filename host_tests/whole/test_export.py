# SPDX-License-Identifier: MIT
"""An administrator exports the journal over the cable while the terminal is in use: sealed, complete, and only then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from host_tests.harness.whole.cashier import Cashier
from host_tests.harness.whole.staff import STAFF, log_in
from host_tests.harness.whole.support_desk import at_the_desk, run
from tools.journal import image


def test_the_journal_is_exported_from_the_menu_with_a_payment_waiting(
    make_cashier: Callable[..., Cashier], tmp_path: Path, keys: tuple[Path, Path], line: tuple[str, int]
) -> None:
    private, public = keys
    path, terminals_end = line
    shop = make_cashier(operators=STAFF)
    shop.world._power.line = terminals_end
    shop.world.power_on()
    shop.page("Log in")
    shop.world.wait_screen("Online", 60)
    log_in(shop, 99)
    shop.page("Type the amount")
    shop.sell(1250)
    shop.go_offline()
    shop.sell(700, "amber", "Accepted")
    silent = at_the_desk(shop, "pull", "--port", path, "--key", public, "--out", tmp_path / "early.ksb")
    assert silent.exit_code != 0 and not (tmp_path / "early.ksb").exists()  # nobody has asked for it at the terminal
    while not shop.sees("Log in"):  # the tool has asked for longer than an operator stays logged in
        shop.world.run_for(60_000)
    log_in(shop, 99)
    shop.page("Type the amount")
    shop.menu("export_log")
    said = " ".join(shop.page("Connect the cable"))
    assert "Export the journal" in said
    bundle, opened = tmp_path / "terminal.ksb", tmp_path / "opened"
    pulled = at_the_desk(shop, "pull", "--port", path, "--key", public, "--out", bundle)
    assert pulled.exit_code == 0, pulled.output
    shop.world.press("C")
    shop.page("Type the amount")
    assert run("open", bundle, "--key", private, "--out", opened).exit_code == 0
    secret = (shop.world.home / "efuse.bin").read_bytes()
    found = image.read((opened / "journal.bin").read_bytes(), image.journal_key(secret)).records
    assert [record.amount for record in found.values()] == [1250, 700]
    late = at_the_desk(shop, "pull", "--port", path, "--key", public, "--out", tmp_path / "late.ksb")
    assert late.exit_code != 0 and not (tmp_path / "late.ksb").exists()
    shop.drain()
    assert shop.ledger() == [(1250, "APPROVED"), (700, "APPROVED")]
