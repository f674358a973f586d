# SPDX-License-Identifier: MIT
"""Cipher objects that differ from the Unix port's: those of an ESP32, and ones whose key cannot be located."""

from collections.abc import Callable
from pathlib import Path

from host_tests.crypto.test_wiping import HIDDEN
from host_tests.harness.whole.cashier import Cashier
from tools.world.power import AES_ESP32


def test_a_terminal_with_esp32_ciphers_sells_and_settles(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier(overlay=AES_ESP32)
    cashier.sign_on()
    cashier.sell(700)
    cashier.go_offline()
    cashier.sell(800, "amber", "Accepted")
    cashier.drain()
    assert cashier.agree() == 1500
    assert "¥15.00" in cashier.settle()


def test_a_terminal_that_cannot_wipe_its_keys_does_not_sell(
    make_cashier: Callable[..., Cashier], tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "cryptolib.py").write_text(HIDDEN)
    cashier = make_cashier(overlay=overlay)
    cashier.world.power_on()
    cashier.world.wait_screen(
        "暂停服务"
    )  # out of service; the settings are not open yet, so the language is the default
    assert any("key wiping self-test" in line for line in cashier.drawn())
    cashier.world.press("700E")
    assert not any("7.00" in line for line in cashier.drawn())
