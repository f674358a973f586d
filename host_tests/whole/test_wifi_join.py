# SPDX-License-Identifier: MIT
"""A cashier joins another Wi-Fi network on the terminal: only what works is stored, and the passphrase shows nowhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.typing_keys import keys
from tools.world.access_points import ENTERPRISE, OPEN, AccessPoint
from tools.world.world import World

SETTLED = "The network used before is kept"
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


def near(cashier: Cashier, *points: AccessPoint) -> None:
    """What the station hears beside the shop's own network."""
    cashier.world.radio.others = points


def networks(cashier: Cashier) -> list[str]:
    """Open the page of networks; returns its lines."""
    cashier.menu("wifi_join")
    return cashier.page("Another network")


def choose(cashier: Cashier, name: str) -> None:
    """Open the page of networks and choose one."""
    lines = [line for line in networks(cashier) if "{" not in line]
    place = next(number for number, line in enumerate(lines[1:]) if line.startswith(name))
    cashier.world.press("D" * place + "E")


def type_passphrase(cashier: Cashier, text: str) -> None:
    """In pieces: the keypad's queue is short."""
    cashier.world.wait_screen("Passphrase")
    for at in range(0, len(text), 6):
        cashier.world.press(keys(text[at : at + 6]))
        cashier.world.wait_screen(f"{min(at + 6, len(text))}/63", 30)
    cashier.world.press("E")


def join(cashier: Cashier, name: str, passphrase: str) -> None:
    choose(cashier, name)
    type_passphrase(cashier, passphrase)


def joined_to(cashier: Cashier) -> tuple[str, str]:
    """The network that the station was told to join last, and its key."""
    return cashier.world.radio.station_chip.wants()


def silent(world: World, secret: str) -> None:
    """The secret is neither on the console nor in the clear in flash."""
    assert secret not in world.console
    assert secret.encode() not in (world.home / "flash.bin").read_bytes()


def test_the_networks_are_listed_by_strength_each_once_and_in_words(cashier: Cashier) -> None:
    near(
        cashier,
        AccessPoint("café", -71),
        AccessPoint("twin", -80),
        AccessPoint("twin", -50),
        AccessPoint("open house", -65, OPEN),
        AccessPoint("hidden", -40, hidden=True),
    )
    lines = networks(cashier)
    assert lines[1:7] == [
        "Join a Wi-Fi network", "twin  strong", "kassa-shop  in use, strong", "open house  open, good", "caf?  good",
        "Another network: type its name",
    ]  # fmt: skip
    cashier.world.press("C")
    cashier.home()
    cashier.sell(1250)


@pytest.mark.parametrize("passphrase", [PRINTABLE[:63], PRINTABLE[63:]], ids=["first 63", "the rest"])
def test_every_printable_character_can_be_typed_and_is_stored(cashier: Cashier, passphrase: str) -> None:
    near(cashier, AccessPoint("upstairs", -50, key=passphrase))
    join(cashier, "upstairs", passphrase)
    assert "upstairs" in " ".join(cashier.page("Joined"))
    silent(cashier.world, passphrase)
    cashier.home()
    cashier.sell(1250)
    cashier.restart()
    cashier.home()
    cashier.world.wait_screen("Online", 60)
    assert joined_to(cashier) == ("upstairs", passphrase), "after a restart it joins what was stored"
    silent(cashier.world, passphrase)
    assert cashier.agree() == 1250


@pytest.mark.parametrize(
    ("point", "passphrase", "said", "fault"),
    [
        (AccessPoint("upstairs", key="right-one"), "wrong-one", "Wrong passphrase", ""),
        (AccessPoint("upstairs", key="right-one"), "right-one", "It gives no address", "no_address"),
    ],
)
def test_what_fails_has_a_name_and_the_old_network_is_kept(
    cashier: Cashier, point: AccessPoint, passphrase: str, said: str, fault: str
) -> None:
    near(cashier, point)
    choose(cashier, point.name)
    cashier.world.radio.fault = fault
    type_passphrase(cashier, passphrase)
    assert said in " ".join(cashier.page("Not joined")) and cashier.sees(SETTLED)
    cashier.world.press("C")
    cashier.page("Another network")
    cashier.world.radio.fault = ""
    cashier.world.press("C")
    cashier.home()
    cashier.world.wait_screen("Online", 60)
    assert joined_to(cashier) == ("kassa-shop", "virtual-air")
    cashier.sell(700)


def test_a_wrong_passphrase_can_be_looked_at_and_mended(cashier: Cashier) -> None:
    near(cashier, AccessPoint("upstairs", key="right-one"))
    join(cashier, "upstairs", "right-onf")
    cashier.page("Not joined")
    cashier.world.press("E")
    lines = cashier.page("9/63")
    assert not any("right" in line.replace(" ", "") for line in lines), "it is hidden"
    cashier.world.press("M")
    cashier.world.run_for(500)
    assert any("rightonf" in "".join(line.split()).replace("-", "") for line in cashier.drawn())
    cashier.world.press("M" + "B" + keys("e") + "E")
    cashier.page("Joined")
    assert joined_to(cashier) == ("upstairs", "right-one")


def test_joining_can_be_cancelled_and_is_then_left_alone(cashier: Cashier) -> None:
    near(cashier, AccessPoint("upstairs", key="right-one"))
    choose(cashier, "upstairs")
    cashier.world.radio.fault = "hangs"
    type_passphrase(cashier, "right-one")
    cashier.world.wait_screen("s more", 30)
    cashier.world.press("C")
    assert "Cancelled" in " ".join(cashier.page("Not joined"))
    cashier.world.press("CC")
    cashier.home()
    cashier.world.wait(lambda: cashier.sees("Online"), "the old network", 90)
    assert joined_to(cashier)[0] == "kassa-shop"


def test_joining_that_is_cancelled_in_the_moment_it_works_is_left_too(cashier: Cashier) -> None:
    """The virtual station rests for a second and has its address 400 ms later; the page looks for keys all the time."""
    near(cashier, AccessPoint("mall", -40, OPEN, ""))
    for delay in range(1370, 1500, 10):
        choose(cashier, "mall")
        cashier.page("Payments stay encrypted")
        cashier.world.press("E")
        cashier.world.wait_screen("Joining", 10)
        cashier.world.run_for(delay)
        cashier.world.press("C")
        cashier.world.wait(lambda: cashier.sees("Joined") or cashier.sees("Not joined"), "the end", 30)
        if cashier.sees("Joined"):
            assert joined_to(cashier)[0] == "mall" and delay > 1370
            return
        assert "Cancelled" in cashier.drawn() and cashier.sees(SETTLED)
        cashier.world.press("C")
        cashier.page("Another network")
        cashier.world.press("C")
        cashier.home()
        cashier.world.run_for(5000)
        cashier.world.wait_screen("Online", 60)
        assert joined_to(cashier)[0] == "kassa-shop", delay
    raise AssertionError("it never joined before C was pressed")


def test_an_open_network_and_one_that_wants_an_account(cashier: Cashier) -> None:
    near(cashier, AccessPoint("mall", -50, OPEN, ""), AccessPoint("office", -52, ENTERPRISE))
    choose(cashier, "office")
    cashier.page("The terminal has no such account")
    cashier.world.press("E")
    cashier.page("Another network")
    cashier.world.press("E")
    cashier.page("Payments stay encrypted")
    cashier.world.press("E")
    cashier.page("Joined")
    assert joined_to(cashier) == ("mall", "")


def test_a_hidden_network_is_joined_by_its_name(cashier: Cashier) -> None:
    near(cashier, AccessPoint("back room 2", -58, key="behind the counter", hidden=True))
    lines = [line for line in networks(cashier) if "{" not in line]
    cashier.world.press("D" * (len(lines) - 3) + "E")
    cashier.page("Network name")
    for at in range(0, 11, 6):
        cashier.world.press(keys("back room 2"[at : at + 6]))
        cashier.world.run_for(3000)
    assert any("backroom2" in "".join(line.split()) for line in cashier.drawn())
    cashier.world.press("E")
    cashier.page("Its protection")
    cashier.world.press("1")
    type_passphrase(cashier, "behind the counter")
    cashier.page("Joined")
    assert joined_to(cashier) == ("back room 2", "behind the counter")


def test_a_passphrase_that_is_too_short_is_refused_on_the_page(cashier: Cashier) -> None:
    near(cashier, AccessPoint("upstairs", -50, key="right-one"))
    join(cashier, "upstairs", "seven77")
    cashier.world.wait_screen("At least 8 characters")
    cashier.world.press("C")
    cashier.page("Another network")
    assert joined_to(cashier)[0] == "kassa-shop"


@pytest.mark.parametrize("operation", range(1, 6))
@pytest.mark.parametrize("tear", ["none", "half"])
def test_a_power_cut_while_it_is_stored_leaves_the_old_network_or_the_new_one(
    make_cashier: Callable[..., Cashier], operation: int, tear: str
) -> None:
    """Erase, two programs, erase: afterwards the terminal joins one of them, and works."""
    cashier = make_cashier()
    cashier.sign_on()
    cashier.world.run_for(8000)  # nothing else is written now
    near(cashier, AccessPoint("upstairs", -50, key="right-one"))
    choose(cashier, "upstairs")
    cashier.world.wait_screen("Passphrase")
    cashier.world.cut_at(operation, tear)
    type_passphrase(cashier, "right-one")
    cashier.world.wait(lambda: not cashier.world.on or cashier.sees("Joined"), "the cut", 30)
    if cashier.world.on:  # no such operation
        cashier.world.cut_at(0)
        cashier.world.power_off()
    cashier.back()
    cashier.home()
    cashier.world.wait_screen("Online", 60)
    assert joined_to(cashier) in (("kassa-shop", "virtual-air"), ("upstairs", "right-one"))
    cashier.sell(700)
    assert cashier.agree() == 700
