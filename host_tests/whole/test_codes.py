# SPDX-License-Identifier: MIT
"""Payments by code, scanned, typed or shown: paid, confirmed late, refused, never confirmed."""

from __future__ import annotations

import re

import pytest

from host_tests.harness.whole.cashier import Cashier
from host_tests.whole.test_management import publish
from tools.host.tables import publication, terminal_settings

# Asks for a code four times, polling the scanner as screens/number.py does.
SCANS = """
import asyncio
from board import Board
async def main():
    scanner = Board().scanner()
    for _ in range(4):
        print("ready")
        scanned = None
        while scanned is None:
            await asyncio.sleep_ms(100)
            scanned = scanner.take()
        print("took", scanned or "nothing")
    await asyncio.sleep(1)
    print("left", scanner.take())
asyncio.run(main())
"""


@pytest.mark.parametrize(
    "code, asks", [("134567890123456788", False), ("283456789012345655", True), ("6234567890123456788", False)]
)
def test_a_payment_by_the_customers_code_is_booked_to_the_wallet(cashier: Cashier, code: str, asks: bool) -> None:
    cashier.menu("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.type_in("The customer's code", code)
    if asks:
        cashier.world.wait_screen("Customer confirms on the phone")
    paper = cashier.end("Paid")
    assert "CODE PAYMENT" in paper and code not in paper, paper
    assert cashier.account("wallet receivable") == 990 and cashier.account() == -990
    assert cashier.settled()["debit_amount"] == 0
    assert re.search(r"By code 1 +￥9.90", cashier.world.receipts[-1].text())


def test_a_refused_code_pays_nothing(cashier: Cashier) -> None:
    for code, word in (("9934567890123456", "Card or code not valid"), ("134567890123456751", "Not enough funds")):
        cashier.menu("qr_scan")
        cashier.type_in("Pay by code: amount", "990")
        cashier.type_in("The customer's code", code)
        cashier.end(word)
    assert cashier.account() == 0


def test_a_payment_that_the_customer_never_confirms_is_reversed(cashier: Cashier) -> None:
    cashier.host.mood = "never"
    cashier.menu("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.type_in("The customer's code", "134567890123456788")
    cashier.world.wait_screen("Customer confirms on the phone")
    cashier.end("reversal pending")
    cashier.await_reversal()
    assert cashier.account() == 0 and cashier.host.view()["payments"][0]["state"] == "REVERSED"


def test_a_payment_by_the_shown_code_is_booked_to_the_wallet(cashier: Cashier) -> None:
    cashier.menu("qr_show")
    cashier.type_in("Pay by code: amount", "990")
    cashier.world.wait_screen("Please scan")
    paper = cashier.end("Paid")
    assert "CODE PAYMENT" in paper
    assert cashier.account("wallet receivable") == 990


def test_the_cashier_picks_the_wallet_whose_code_is_shown(cashier: Cashier) -> None:
    wallets = terminal_settings.pack_wallets(
        [("wechat", "微信支付 WeChat"), ("alipay", "支付宝 Alipay"), ("ln", "Lightning")]
    )
    publish(cashier, publication.PARAMETERS, publication.parameters({0x16: wallets}))
    cashier.menu("qr_show")
    cashier.world.wait_screen("Which wallet?")
    cashier.world.wait_screen("支付宝 Alipay")
    cashier.world.press("2")
    cashier.type_in("Pay by code: amount", "990")
    cashier.world.wait_screen("Please scan")
    assert "CODE PAYMENT" in cashier.end("Paid")
    assert cashier.host.wallet.picked == ["alipay"] and cashier.account("wallet receivable") == 990
    cashier.menu("qr_show")
    cashier.world.wait_screen("Which wallet?")
    cashier.world.press("C")
    cashier.home()


def test_a_scanned_code_needs_no_key_press(cashier: Cashier) -> None:
    cashier.menu("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.world.wait_screen("The customer's code")
    cashier.world.scan("134567890123456788")
    assert "CODE PAYMENT" in cashier.end("Paid")
    assert cashier.account("wallet receivable") == 990


CODES = ("134567890123456788", "6234567890123456788", "no code", "283456789012345655")


@pytest.mark.parametrize("prefix", [b"", b"]C0", b"]Q1", b"]e0", b"\x02", b"\x02]C0", b"\r\n"])
@pytest.mark.parametrize("suffix", [b"\r\n", b"\r", b"\n", b"\t", b"\x03", b"\x03\r\n", b""])
def test_codes_are_read_with_any_common_scanner_prefix_and_suffix(new_world, prefix: bytes, suffix: bytes) -> None:
    """Each code arrives alone and complete; text that is not a code is reported as such."""
    world = new_world(SCANS)
    world.chips.scanner.prefix, world.chips.scanner.suffix = prefix, suffix
    world.power_on()
    for number, code in enumerate(CODES):
        world.wait(lambda asked=number: world.console.count("ready") > asked, "the scanner to be asked")
        world.scan(code)
        world.wait(lambda asked=number: world.console.count("took") > asked, "the code")
    world.wait_off()
    took = [line for line in world.console.splitlines() if line != "ready"]
    assert took == [f"took {code if code.isdigit() else 'nothing'}" for code in CODES] + ["left None"]


ASKED = SCANS.replace("Board().scanner()", "Scanner(UART(wiring.SCANNER_UART, 9600), GM65_SCAN)").replace(
    "import asyncio",
    "import asyncio, wiring\nfrom kassa.drivers.scanner import GM65_SCAN, Scanner\nfrom machine import UART",
)


@pytest.mark.parametrize("suffix", [b"\r", b"\r\n", b"\t", b""])
def test_a_scanner_in_command_mode_is_asked_until_a_code_comes_and_its_answers_are_no_codes(new_world, suffix) -> None:
    world = new_world(ASKED)
    scanner = world.chips.scanner
    scanner.commanded, scanner.suffix = True, suffix
    world.power_on()
    for number, code in enumerate(CODES):
        world.wait(lambda asked=number: world.console.count("ready") > asked, "the scanner to be asked")
        before = scanner.commands
        world.run_for(12_000)  # the scanner gives up twice
        assert scanner.commands - before >= 2 and world.console.count("took") == number, world.console
        world.scan(code)
        world.wait(lambda asked=number: world.console.count("took") > asked, "the code")
    world.wait_off()
    took = [line for line in world.console.splitlines() if line != "ready"]
    assert took == [f"took {code if code.isdigit() else 'nothing'}" for code in CODES] + ["left None"]


@pytest.mark.parametrize("answer", ["02000001003331", "02000002 0d0a 3331", "020000ff" + "39" * 255 + "3331", "0200"])
def test_an_answer_of_the_scanner_is_no_code_and_hides_none(new_world, answer: str) -> None:
    world = new_world(SCANS.replace("range(4)", "range(1)"))
    world.chips.scanner.prefix = bytes.fromhex(answer)
    world.power_on()
    world.wait(lambda: "ready" in world.console, "the scanner to be asked")
    world.scan("" if len(answer) < 14 else "134567890123456788")
    if len(answer) < 14:
        world.run_for(1000)
        assert "took" not in world.console
        world.chips.scanner.prefix = b""
        world.scan("134567890123456788")
    world.wait_off()
    assert "took 134567890123456788" in world.console, world.console


@pytest.mark.parametrize("prefix, suffix", [(b"", b""), (b"\x02]Q1", b"\x03"), (b"]C0", b"\t")])
def test_a_scan_pays_with_any_scanner_prefix_and_suffix(cashier: Cashier, prefix: bytes, suffix: bytes) -> None:
    scanner = cashier.world.chips.scanner
    scanner.prefix, scanner.suffix = prefix, suffix
    cashier.menu("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.world.wait_screen("The customer's code")
    cashier.world.scan("12345")
    cashier.page("No payment code")
    cashier.world.scan("134567890123456788")
    assert "CODE PAYMENT" in cashier.end("Paid")
    assert cashier.account("wallet receivable") == 990


def test_a_scan_that_is_not_a_payment_code_is_reported(cashier: Cashier) -> None:
    cashier.menu("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    for nonsense in ("http://example.test/?a=1", "x" * 300, "12345"):
        cashier.world.wait_screen("The customer's code")
        cashier.world.scan(nonsense)
        cashier.page("No payment code")
    cashier.world.scan("134567890123456788")
    cashier.end("Paid")
