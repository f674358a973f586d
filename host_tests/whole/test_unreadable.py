# SPDX-License-Identifier: MIT
"""A payment in flash that rotted beyond repair: reported by number, given up by a supervisor, and the rest settled."""

from pathlib import Path

from host_tests.harness.whole.cashier import Cashier
from tools.journal import image
from tools.world.flash import PARTITIONS

CODE = "246813E"


def rot(cashier: Cashier, sequence: int) -> None:
    """Flip two bits of a record's body, with the power off."""
    base, size = PARTITIONS["journal"]
    path = cashier.world.home / "flash.bin"
    chip = bytearray(path.read_bytes())
    for at in range(base, base + size, image.PAGE):
        if chip[at] in (0x51, 0x52) and int.from_bytes(chip[at + 4 : at + 8], "big") == sequence:
            chip[at + 100] ^= 0x01
            chip[at + 101] ^= 0x80
    path.write_bytes(chip)


def test_an_unreadable_payment_is_reported_and_given_up(cashier: Cashier, tmp_path: Path) -> None:
    cashier.go_offline()
    for amount in (1100, 2200, 3300):
        cashier.sell(amount, result="Accepted")
    cashier.world.power_off()
    rot(cashier, 2)
    cashier.back()
    cashier.home()
    cashier.world.radio.state = "on"
    cashier.world.wait_screen("Payment no. 2 unreadable: settle", 60)
    (tmp_path / "home.png").write_bytes(cashier.world.screen_png())
    cashier.menu("settle")
    cashier.world.wait_screen("Settle the batch?")
    cashier.world.press("E")
    said = cashier.page("A payment cannot be read")
    (tmp_path / "unreadable.png").write_bytes(cashier.world.screen_png())
    assert "Number 2 in the journal" in said, said
    cashier.world.press("E")
    cashier.world.wait_screen("Supervisor")
    cashier.world.press(CODE)
    cashier.world.wait(lambda: cashier.sees("alanced") or cashier.sees("Not settled"), "the end of settling", 60)
    (tmp_path / "end.png").write_bytes(cashier.world.screen_png())
    cashier.home()
    assert not cashier.sees("unreadable") and not cashier.sees("to send")
    assert cashier.agree() == 4400
    journal = cashier.journal()
    assert [mark.about for mark in journal.marks if mark.kind == "LOST"] == [2]
    assert cashier.host.view()["terminals"][0]["gaps"] == [(2, 2)]  # an auditor also sees it at the host
