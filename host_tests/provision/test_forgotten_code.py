# SPDX-License-Identifier: MIT
"""The only administrator has forgotten the code: no way in at the terminal; the way that docs/staff.md names leads out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from host_tests.harness.provision.bench import Chip
from host_tests.harness.whole.staff import CODES, cancel_to_home, log_in
from host_tests.provision.test_provision import TERMINAL, at_work, provisioned, wait_for_reset
from tools.provision.chip import Target
from tools.provision.device import Operator
from tools.provision.merchant_host import MerchantHost

NEW_CODE = "975310"
STAFF = (Operator(1, "c", CODES[1]), Operator(99, "a", CODES[99]))


def test_a_forgotten_administrators_code_is_replaced_over_the_cable_and_nothing_else_is_lost(
    chip: Chip, unix: Target, merchant: MerchantHost, tmp_path: Path
) -> None:
    staffed = replace(TERMINAL, operators=STAFF)
    done = provisioned(chip, unix, merchant, staffed)
    wait_for_reset(chip)
    cashier = at_work(chip, merchant, done, staffed)
    host = MerchantHost(tmp_path / "host", test_keys=True)
    with cashier.system:
        cashier.world.power_on()
        cashier.page("Log in")
        cashier.world.wait_screen("Online", 60)
        for _ in range(3):
            cashier.type_in("Log in", "99")
            cashier.type_in("Code of operator 99", "192837")
            cashier.page("Wrong code")
            cashier.world.press("C")
        log_in(cashier, 90)
        cashier.page("Type the amount")
        cashier.menu("reset_code")  # what only an administrator may
        cashier.type_in("Administrator code", "246813")
        cashier.page("Wrong code")
        cancel_to_home(cashier)
        cashier.menu("reset_cashier")
        cashier.type_in("Reset a cashier's code", "99")
        cashier.page("Not for operator 99")
        cashier.world.press("E")
        cancel_to_home(cashier)
        cashier.sell(1250)
        assert "¥12.50" in cashier.settle()
        cashier.world.power_off()
        chip.plug()
        again = provisioned(chip, unix, host, replace(TERMINAL, supervisor_code=NEW_CODE), again=True)
        assert again.key_id == done.key_id
        chip.pull()
        host.close()
        cashier.back()
        cashier.home()
        cashier.menu("add_operator")
        cashier.type_in("Supervisor code", "246813")
        cashier.page("Wrong code")
        cashier.type_in("Supervisor code", NEW_CODE)
        cashier.agree_to("No administrator has a code yet")
        cashier.type_in("New code", CODES[99])
        cashier.type_in("New code once more", CODES[99])
        cashier.agree_to("Administrator is operator 99")
        cashier.type_in("Add an operator", "1")
        cashier.page("Role of operator 01")
        cashier.world.press("1")
        cashier.type_in("New code", CODES[1])
        cashier.type_in("New code once more", CODES[1])
        cashier.agree_to("Operator 01 added")
        log_in(cashier, 1)
        cashier.page("Type the amount")
        cashier.sell(700)
        assert [record.amount for record in cashier.journal().records.values()] == [1250, 700]
