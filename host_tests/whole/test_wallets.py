# SPDX-License-Identifier: MIT
"""Real wallets from the terminal to the bill: paid by each code, refused, undone while the customer confirms, given back.

WeChat Pay, Alipay and LNbits are simulated behind their HTTP and signatures. A customer's phone pays in their books; the
terminal, the host's ledger and those books have to agree to the fen, and so do the bills of the day.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tests.harness.host.desk import rows
from host_tests.harness.whole.cashier import QUICK, Cashier
from tools.demo.shopkeeper import on_paper
from tools.host.acquirers import orders
from tools.host.books import differences
from tools.host.operations import bills
from tools.host.outside import outbox
from tools.provision.device import Terminal
from tools.sim.wallets.app import ASKS, BACK, LATE, PAID, PAYS, REFUSED, REFUSES, SILENT, WAITING, Item
from tools.sim.wallets.phone import Phone
from tools.sim.wallets.services import WalletServices
from tools.whole_system import WholeSystem
from tools.world import shown_code

ORDER = ("wechat", "alipay", "lightning")  # of the till's list
_PATIENCE = 40.0  # seconds
_BEIJING = datetime.timezone(datetime.timedelta(hours=8))


class Shop:
    """A cashier, a customer's phone, and time that can be passed. `passed`: ms."""

    def __init__(self, system: WholeSystem) -> None:
        assert system.wallets is not None
        self.system, self.cashier, self.phone = system, Cashier(system), Phone(system.wallets)
        self.passed = 0

    def newest(self, wallet: str) -> Item:
        return self.phone.apps[wallet].items()[0]

    def until(self, ready: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _PATIENCE
        while not ready():
            assert time.monotonic() < end, (what, self.phone.items(), self.cashier.world.screen_text())
            time.sleep(0.05)

    def offer_code(self, wallet: str, amount: int) -> None:
        """The cashier types an amount and scans the code on the phone."""
        self.cashier.menu("qr_scan")
        self.cashier.type_in("Pay by code: amount", str(amount))
        self.cashier.world.wait_screen("The customer's code")
        self.cashier.world.scan(self.phone.apps[wallet].code())

    def show_code(self, wallet: str, amount: int) -> str:
        """The cashier has a code shown, and the phone scans it from the display. Returns the payment's id."""
        self.cashier.menu("qr_show")
        self.cashier.world.wait_screen("Which wallet?")
        self.cashier.world.press("D" * ORDER.index(wallet) + "E")
        self.cashier.type_in("Pay by code: amount", str(amount))
        self.cashier.world.wait_screen("Please scan")
        self.until(lambda: bool(self._shown()), "a code on the display")
        found, payment = self.phone.scan(self._shown())
        assert found == wallet and self.newest(wallet).state == WAITING
        return payment

    def _shown(self) -> str:
        return shown_code.read(self.cashier.world.chips.display.pixels)

    def undo(self) -> bool:
        """Let the host try again what it has to undo, now. True if nothing is left."""
        with self.system.host.ledger.write() as db:
            outbox.hurry(db)
            left = outbox.open_rows(db, 1)
        self.system.host.service.messenger.wake()
        return not left

    def kept(self) -> int:
        """fen that the shop has by the phone: paid, and not given back."""
        return sum(item.amount - item.back for item in self.phone.items() if item.state in (PAID, BACK))


@pytest.fixture
def shop(tmp_path: Path, micropython: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    terminal = Terminal(language="en", supervisor_code="246813")
    system = WholeSystem(
        tmp_path / "system", terminal=terminal, source=QUICK, speed="real", micropython=micropython, wallets="simulated"
    )
    with system:
        shop = Shop(system)
        monkeypatch.setattr(orders, "now", lambda: time.time_ns() // 1_000_000 + shop.passed)
        shop.cashier.sign_on()
        yield shop
        shop.phone.close()


def test_codes_pay_a_part_is_given_back_and_the_bills_of_the_day_agree(shop: Shop) -> None:
    cashier, day = shop.cashier, datetime.datetime.now(_BEIJING).date()
    shop.offer_code("wechat", 990)
    paper = cashier.end("Paid")
    assert "CODE PAYMENT" in paper
    shop.phone.apps["alipay"].set_mood(ASKS)
    shop.offer_code("alipay", 1250)
    cashier.world.wait_screen("Customer confirms on the phone")
    shop.until(lambda: shop.newest("alipay").state == WAITING, "the question on the phone")
    shop.phone.apps["alipay"].pay(shop.newest("alipay").id)
    assert "CODE PAYMENT" in cashier.end("Paid")
    for number, wallet in enumerate(ORDER):
        payment = shop.show_code(wallet, 2000 + number)
        shop.phone.apps[wallet].pay(payment)
        assert "CODE PAYMENT" in cashier.end("Paid")
        assert (shop.newest(wallet).state, shop.newest(wallet).amount) == (PAID, 2000 + number)
    sold = 990 + 1250 + 2000 + 2001 + 2002
    assert cashier.account("wallet receivable") == sold == shop.kept()
    cashier.settled()
    cashier.refund_of("code", 400)
    cashier.type_in("Reference", on_paper("Reference", paper))
    cashier.supervise()
    cashier.end("Refunded")
    assert [item.back for item in shop.phone.apps["wechat"].items()] == [0, 400]
    assert cashier.account("wallet receivable") == sold - 400 == shop.kept()
    reconcile(shop, day)


def test_a_no_on_the_phone_and_a_no_of_the_wallet_pay_nothing(shop: Shop) -> None:
    cashier = shop.cashier
    for wallet in ("wechat", "alipay"):
        shop.phone.apps[wallet].set_mood(REFUSES)
        shop.offer_code(wallet, 990)
        cashier.end("Not enough")
        assert shop.newest(wallet).state == REFUSED
        shop.phone.apps[wallet].set_mood(ASKS)
        shop.offer_code(wallet, 880)
        cashier.world.wait_screen("Customer confirms on the phone")
        shop.until(lambda w=wallet: shop.newest(w).state == WAITING, "the question on the phone")
        shop.phone.apps[wallet].refuse(shop.newest(wallet).id)
        cashier.end("Declined")
        assert shop.newest(wallet).state == REFUSED
    assert cashier.account() == 0 == shop.kept()


@pytest.mark.parametrize("wallet", ["wechat", "alipay"])
def test_a_customer_who_confirms_while_the_cashier_cancels_pays_once_or_not_at_all(shop: Shop, wallet: str) -> None:
    """LATE: the yes comes just before the undo has its effect. The money goes back."""
    cashier, day = shop.cashier, datetime.datetime.now(_BEIJING).date()
    shop.phone.apps[wallet].set_mood(LATE)
    payment = shop.show_code(wallet, 770)
    cashier.world.press("C")
    cashier.end("reversal pending")
    cashier.await_reversal()
    shop.passed += 20_000
    shop.until(lambda: shop.undo() or shop.newest(wallet).state == BACK, "the money given back")
    found = shop.newest(wallet)
    assert (found.id, found.back) == (payment, 770)
    shop.passed += 200_000
    shop.until(shop.undo, "everything undone")
    shop.phone.apps[wallet].set_mood(PAYS)
    payment = shop.show_code(wallet, 660)
    cashier.world.press("C")
    shop.phone.apps[wallet].pay(payment)  # whoever comes first
    cashier.rest("an end")
    cashier.home()
    cashier.await_reversal()
    shop.passed += 200_000
    shop.until(shop.undo, "everything undone")
    assert cashier.account("wallet receivable") == shop.kept() in (0, 660)
    cashier.settled()
    reconcile(shop, day)


def test_lightning_that_is_paid_after_the_cashier_cancelled_is_for_a_person_to_give_back(shop: Shop) -> None:
    """Nobody can take a paid invoice back: the order stays open for a person, and money and books say the same."""
    cashier = shop.cashier
    payment = shop.show_code("lightning", 550)
    cashier.world.press("C")
    cashier.end("reversal pending")
    cashier.await_reversal()
    shop.phone.apps["lightning"].pay(payment)
    assert shop.newest("lightning").state == PAID and cashier.account() == 0
    shop.passed += 20_000
    kept = [("KEPT",)]
    shop.until(lambda: shop.undo() or rows(shop.system.host, "SELECT state FROM wallet_order") == kept, "it to be kept")
    assert rows(shop.system.host, "SELECT state FROM wallet_order") == kept


def test_the_books_of_the_wallets_survive_a_restart(shop: Shop, tmp_path: Path) -> None:
    """A refund tomorrow of today's payment works. A wallet that is silent leaves nothing behind."""
    cashier = shop.cashier
    shop.phone.apps["wechat"].set_mood(SILENT)
    shop.offer_code("wechat", 440)
    cashier.world.wait_screen("reversal pending", 30)
    assert shop.phone.apps["wechat"].items() == []
    shop.phone.apps["wechat"].set_mood(PAYS)
    cashier.home()
    cashier.await_reversal()
    assert shop.phone.apps["wechat"].items() == []
    shop.offer_code("wechat", 440)
    assert "CODE PAYMENT" in cashier.end("Paid")
    payment = shop.show_code("lightning", 330)
    shop.phone.apps["lightning"].pay(payment)
    cashier.end("Paid")
    assert shop.system.wallets is not None
    before, shop_key = shop.phone.items(), shop.system.wallets.shop_key
    shop.phone.close()
    shop.system.wallets.stop()
    again = WalletServices(shop.system.home / "wallets", "Tea", real=False)
    phone = Phone(again)
    assert phone.items() == before and again.shop_key == shop_key
    assert again.wechat.books.refund("r" * 32, shop.newest("wechat").id, 440, 440).status == "SUCCESS"
    phone.close()
    again.stop()


def reconcile(shop: Shop, day: datetime.date) -> None:
    """The bills of all days since `day` are there the day after the last, and agree with the payments."""
    last = datetime.datetime.now(_BEIJING).date()
    shop.passed += 2 * 86_400_000
    assert shop.system.wallets is not None
    host = shop.system.host
    wallets = shop.system.wallets.of(
        host.home, host.ledger
    )  # as kassa-host bills opens them, with connections of its own
    used = [
        wallet for wallet in wallets.wallets.values() if any(item.wallet == wallet.name for item in shop.phone.items())
    ]
    while day <= last:
        told = bills.run(host.ledger, used, shop.system.home / "bills", day, "test")
        assert [one.trouble for one in told] == [""] * len(used), told
        day += datetime.timedelta(days=1)
    with host.ledger.read() as db:
        assert differences.listed(db) == []
