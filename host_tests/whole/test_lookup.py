# SPDX-License-Identifier: MIT
"""A host with a name: looking it up stops every task of the chip for up to 14 s. What the cashier sees meanwhile."""

import pytest

from host_tests.harness.whole.cashier import Cashier

BLOCKS_MS = 14_000  # lwIP: 1 + 1 + 2 + 3 s per name server without an answer, and DHCP gives two
NAME = "host.example"


class Watch:
    """What the display shows at the moment each look-up begins."""

    def __init__(self, cashier: Cashier, name: str = NAME) -> None:
        self.name = name
        self.screens: list[list[str]] = []
        self._world = cashier.world
        cashier.world.radio.dns_ms = BLOCKS_MS
        cashier.world.radio.on_lookup = self._look

    def _look(self, name: str) -> None:
        assert name == self.name
        self.screens.append(self._world.board.chips.read_screen())

    def last(self) -> str:
        return " ".join(self.screens[-1])


@pytest.fixture
def shop(make_cashier) -> Cashier:
    return make_cashier(host_address=NAME)


def test_the_home_page_says_what_it_waits_for(shop: Cashier) -> None:
    watch = Watch(shop)
    shop.world.radio.hosts = set()
    shop.world.power_on()
    shop.world.wait_screen("Host name not found", 30)
    assert "Looking for the host, please wait" in watch.last()
    assert shop.world.resets == [], "the watchdog is patient enough"
    shop.world.radio.hosts = None
    shop.world.wait_screen("Online", 60)
    shop.world.wait(lambda: not shop.sees("Looking for"), "the line to go")


def test_a_name_that_ends_in_a_digit_is_a_name(make_cashier) -> None:
    shop = make_cashier(host_address="shop-server2")
    watch = Watch(shop, "shop-server2")
    shop.world.radio.hosts = set()
    shop.world.power_on()
    shop.world.wait_screen("Host name not found", 30)
    assert "Looking for the host, please wait" in watch.last()


def test_a_host_that_was_reached_is_not_looked_up_again(shop: Cashier) -> None:
    watch = Watch(shop)
    shop.sign_on()
    assert len(watch.screens) == 1
    shop.world.radio.hosts = set()  # no name server answers any more
    for amount in (700, 800):
        shop.world.run_for(8_000)  # the connection has ended
        shop.sell(amount)
    assert len(watch.screens) == 1
    assert shop.agree() == 1500


def test_a_host_that_has_moved_is_looked_up_again(shop: Cashier) -> None:
    watch = Watch(shop)
    shop.sign_on()
    shop.world.run_for(8_000)
    port, shop.world.radio.host_port = shop.world.radio.host_port, None
    shop.offer(700)
    shop.world.wait_screen("Take it offline?", 60)
    shop.world.press("E")
    shop.end("Accepted")
    assert len(watch.screens) == 1, "the address that worked was tried"
    shop.world.radio.host_port = port
    shop.drain()
    assert len(watch.screens) >= 2
    assert shop.agree() == 700


def lose_the_host(shop: Cashier) -> Watch:
    """The host was heard, is gone, and no name server answers."""
    watch = Watch(shop)
    shop.sign_on()
    shop.world.run_for(8_000)
    shop.world.radio.host_port = None
    shop.world.radio.hosts = set()
    return watch


def test_a_payment_that_waits_for_it_says_so_and_then_why_it_failed(shop: Cashier) -> None:
    watch = lose_the_host(shop)
    shop.offer(700, "amber")
    assert "Host cannot be reached" in " ".join(shop.page("Take it offline?"))  # at the address that worked
    shop.world.press("C")
    assert "Host cannot be reached" in " ".join(shop.page("Not taken"))
    shop.home()
    shop.world.remove()
    shop.world.wait_screen("Host name not found", 60)
    before = len(watch.screens)
    shop.world.press("8")
    for _ in range(3):  # a slow cashier: meanwhile the pause after the failure ends, and no look-up begins
        shop.world.run_for(40_000)
        shop.world.press("0")
    assert len(watch.screens) == before
    shop.world.press("E")
    shop.world.wait_screen("Present card")
    shop.world.place(shop.card("coral"))
    shop.world.wait(lambda: len(watch.screens) > before, "a look-up", 30)
    assert "Authorising" in watch.last() and "please wait" in watch.last()
    assert "Host name not found" in " ".join(shop.page("Take it offline?"))
    shop.world.press("E")
    shop.end("Accepted")
    assert shop.world.resets == [], "the watchdog is patient enough"


def test_no_look_up_begins_while_a_card_is_asked_for(shop: Cashier) -> None:
    watch = lose_the_host(shop)
    shop.offer(700, "amber")
    shop.world.wait_screen("Take it offline?", 60)
    shop.world.press("E")
    shop.end("Accepted")
    shop.world.wait_screen("Host name not found", 60)
    before = len(watch.screens)
    shop.world.press("800E")
    shop.world.wait_screen("Present card")
    begin = shop.world.now
    shop.world.wait(
        lambda: not shop.sees("Present card") or shop.world.now > begin + 100_000, "the end of the wait", 30
    )
    assert shop.world.now - begin > 20_000
    assert len(watch.screens) == before
    shop.world.wait(lambda: len(watch.screens) > before, "the next look-up", 60)
    assert "Looking for the host" in watch.last() or "Not taken" in watch.last()
