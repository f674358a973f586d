# SPDX-License-Identifier: MIT
"""However a tap ends, the card number is nowhere in the memory of the terminal's process afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.cards import catalogue
from tools.host.tables.terminal_settings import OfflineApproval
from tools.world.world import World

ALWAYS = OfflineApproval(floor=20_000, target=0, most=0)


def memory(world: World) -> bytes:
    """All writable memory of the process. Skips the test if this machine does not allow reading it."""
    pid = world.pid
    assert pid is not None
    parts = []
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as whole:
            for line in maps:
                span, rights, *_ = line.split()
                if rights.startswith("rw") and "[v" not in line:
                    start, end = (int(part, 16) for part in span.split("-"))
                    whole.seek(start)
                    parts.append(whole.read(end - start))
    except OSError as error:
        pytest.skip(f"the memory of another process cannot be read here: {error}")
    return b"\n".join(parts)


def forms(pan: str) -> dict[str, bytes]:
    """The forms of a card number in memory: ASCII, and packed as in track 2."""
    return {"ASCII": pan.encode(), "packed": bytes.fromhex(pan[: len(pan) // 2 * 2])}


def search(world: World, name: str) -> None:
    found = memory(world)
    assert b"KASSA001" in found  # the terminal's memory was searched
    for form, number in forms(catalogue.CATALOGUE[name].pan).items():
        assert number not in found, f"{name}: the card number is in memory, {form}"


def test_the_search_finds_a_number_that_is_there(cashier: Cashier) -> None:
    """The control: while waiting for the host, the till keeps the card data, in case it must defer the payment."""
    cashier.host.mood = "silent"
    cashier.offer(1250, "jade")
    cashier.world.wait_screen("Authorising", 20)
    assert forms(catalogue.CATALOGUE["jade"].pan)["packed"] in memory(cashier.world)


@pytest.mark.parametrize("name", ["jade", "lotus", "maple", "slate", "plum"])
def test_no_card_number_after_the_hosts_answer(cashier: Cashier, name: str) -> None:
    cashier.offer(1250, name)
    cashier.page("Approved")
    search(cashier.world, name)


@pytest.mark.parametrize(
    "name", ["declines", "forged", "two_numbers", "repeats", "oversize", "pin", "torn3", "torn4", "purse"]
)
def test_no_card_number_after_a_bad_card(cashier: Cashier, name: str) -> None:
    cashier.offer(1250, name)
    cashier.world.run_for(4000)
    search(cashier.world, name)
    cashier.world.remove()
    cashier.home()
    search(cashier.world, name)


@pytest.mark.parametrize("name", ["quartz", "maple", "slate", "plum"])
def test_no_card_number_after_an_offline_approval(make_cashier: Callable[..., Cashier], name: str) -> None:
    cashier = make_cashier(approval=ALWAYS)
    cashier.sign_on()
    cashier.go_offline()
    cashier.offer(4500, name)
    cashier.page("Approved offline")
    search(cashier.world, name)


@pytest.mark.parametrize("name", ["jade", "maple"])
def test_no_card_number_after_a_deferred_or_refused_payment(make_cashier: Callable[..., Cashier], name: str) -> None:
    cashier = make_cashier(approval=None)
    cashier.sign_on()
    cashier.go_offline()
    for _ in range(4):  # the fourth payment with one card is refused
        cashier.offer(4500, name)
        cashier.world.wait_screen("4", 20)
        cashier.world.run_for(3000)
        search(cashier.world, name)
        cashier.world.remove()
        cashier.home()


@pytest.mark.parametrize("wanted", [True, False])
def test_no_card_number_after_an_online_payment_that_was_never_sent(cashier: Cashier, wanted: bool) -> None:
    cashier.world.run_for(8000)  # the sign-on's connection has ended
    cashier.world.radio.state = "half_open"
    cashier.offer(1250, "jade")
    cashier.world.wait_screen("Take it offline?", 60)
    cashier.world.press("E" if wanted else "C")
    cashier.world.wait_screen("Accepted" if wanted else "Not taken", 30)
    search(cashier.world, "jade")
