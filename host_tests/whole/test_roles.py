# SPDX-License-Identifier: MIT
"""The matrix of roles through the terminal itself: for each act and role, it goes on, asks a colleague, or is refused."""

from __future__ import annotations

import re
from collections.abc import Callable

from host_tests.harness.whole.cashier import Cashier
from host_tests.harness.whole.staff import CODES, NUMBERS, STAFF, cancel_to_home, log_in, log_out
from host_tests.house.source import ROOT
from host_tests.whole.test_unreadable import rot
from kassa.desk import roles
from tools import menu_keys

GOES_ON, ASKS_SUPERVISOR, ASKS_ADMINISTRATOR, REFUSED = "goes on", "supervisor", "administrator", "refused"
_RANK = "csa"
_ROLES = {"everybody": "c", "supervisor": "s", "administrator": "a"}
_ASKS = {"s": ASKS_SUPERVISOR, "a": ASKS_ADMINISTRATOR}
# act: keys and texts from the menu entry of its name to the place where permission is asked for, then what comes if it is given
ENTRIES: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "log_out": ((), "Log out?"),
    "shift": ((), "Hand over the till?"),
    "own_code": ((), "Your code now"),
    "void": ((("Void", "E"), ("Void this payment?", "E")), "Cash returned"),
    "refund": ((("Refund: paid by", "3"), ("Refund: amount", "500E")), "Cash returned"),
    "preauth_cancel": ((("Pre-authorised amount", "500E"), ("Authorisation code", "123456E")), "Present card"),
    "sign_off": ((), "The host knows of it"),
    "operators": ((), "Administrator"),
    "reset_cashier": ((), "Operator number, 1 or 2 digits"),
    "new_batch": ((), "Settle the batch?"),
    "parameters": ((), "Largest payment"),
    "add_operator": ((), "Operator number, 1 or 2 digits"),
    "remove_operator": ((), "Operator number, 1 or 2 digits"),
    "reset_code": ((), "Operator number, 1 or 2 digits"),
    "export_log": ((), "Connect the cable, start the tool"),
}
OFFLINE = {
    "adjust": ((("Adjust a voice sale", "E"), ("Right amount", "4500E"), ("Change the amount?", "E")), "Accepted"),
    "lock": ((("Lock the terminal?", "E"),), "Terminal locked"),
}
AFTER_RESTART = ("clear_reversal", "offline", "write_off")
BY_ITSELF = ("log_in", "unlock", "first_code")
NOBODY_ASKS_FOR = {"code_locked"}  # it happens to whoever types ten wrong codes


def least(act: str) -> str:
    """The least role that may do an act: as docs/menu.md says for entries of the menu, as docs/staff.md for the others."""
    words = (ROOT / "docs" / "menu.md").read_text("utf-8")
    for line in words.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 4 and cells[1] == f"`{' '.join(['M', *menu_keys.keys_of(act)[1:]])}`":
            return _ROLES[cells[4]]
    raise AssertionError(f"{act} is not in docs/menu.md")


def expected(role: str, least_role: str) -> str:
    return GOES_ON if _RANK.index(role) >= _RANK.index(least_role) else _ASKS[least_role]


def what_comes(shop: Cashier, goes_on: str) -> str:
    """Wait for the page that goes on or for one that asks for a colleague."""
    asks = {"Supervisor code": ASKS_SUPERVISOR, "Administrator code": ASKS_ADMINISTRATOR}
    shop.world.wait(lambda: any(shop.sees(text) for text in (*asks, goes_on)), f"{goes_on!r} or a code", 60)
    shop.drawn()
    return next((word for title, word in asks.items() if shop.sees(title)), GOES_ON if shop.sees(goes_on) else "")


def try_entry(shop: Cashier, act: str, steps: tuple[tuple[str, str], ...], goes_on: str) -> str:
    """Open an entry of the menu and do its steps; what comes then."""
    shop.menu(act)
    for text, keys in steps:
        shop.page(text)
        shop.world.press(keys)
    return what_comes(shop, goes_on)


def enter(shop: Cashier, role: str) -> None:
    log_in(shop, NUMBERS[role])
    shop.page("Type the amount")


def test_every_act_is_tried_by_every_role() -> None:
    acts = {*ENTRIES, *OFFLINE, *AFTER_RESTART, *BY_ITSELF}
    known = {line.split()[0] for line in roles.TABLE.strip().splitlines()} - NOBODY_ASKS_FOR
    assert acts == known
    print(f"{len(known)} acts x {len(_RANK)} roles = {len(known) * len(_RANK)}")


def test_the_menu_lets_each_role_do_what_its_page_says(shop: Cashier) -> None:
    """Three log-ins online and three offline, where a voice sale has not been sent yet."""
    found, wanted = {}, {}
    enter(shop, "c")
    for amount in (1000, 2000):
        shop.world.press(f"{amount}U")
        shop.type_in("Given by the customer", "5000")
        shop.end("Change")
    log_out(shop)
    for role in _RANK:
        enter(shop, role)
        for act, (steps, goes_on) in ENTRIES.items():
            found[act, role] = try_entry(shop, act, steps, goes_on)
            wanted[act, role] = expected(role, least(act))
            cancel_to_home(shop)
        log_out(shop)
    enter(shop, "c")
    shop.go_offline()
    for _ in range(2):
        shop.menu("voice")
        shop.type_in("Voice sale: amount", "4000")
        shop.type_in("Code from the phone", "123456")
        shop.tap()
        shop.end("Accepted")
    log_out(shop)
    for role in _RANK:
        enter(shop, role)
        for act, (steps, goes_on) in OFFLINE.items():
            found[act, role] = try_entry(shop, act, steps, goes_on)
            wanted[act, role] = expected(role, least(act))
            if act != "lock" or found[act, role] != GOES_ON:
                cancel_to_home(shop)
        if shop.sees("Terminal locked"):
            for other in _RANK if role == "s" else role:
                shop.type_in("Terminal locked", str(NUMBERS[other]))
                shop.page("A supervisor must log in" if other == "c" else f"Code of operator {NUMBERS[other]}")
                found["unlock", other] = REFUSED if shop.sees("E OK") else GOES_ON
                wanted["unlock", other] = REFUSED if other == "c" else GOES_ON
                shop.world.press("E" if other == "c" else "C")
            shop.type_in("Terminal locked", str(NUMBERS[role]))
            shop.type_in("Code of operator", CODES[NUMBERS[role]])
            shop.page("Type the amount")
        log_out(shop)
    print(f"{len(found)} of act and role tried")
    assert found == wanted


def test_after_a_restart_a_cashier_asks_for_what_a_supervisor_may(shop: Cashier) -> None:
    """A reversal waits, payments wait, and two of them cannot be read."""
    enter(shop, "c")
    shop.go_offline()
    for amount in (1100, 2200, 3300):
        shop.sell(amount, "amber" if amount < 3000 else "jade", result="Accepted")
    shop.host.mood = "mute"
    shop.world.power_off()
    rot(shop, 1)
    rot(shop, 2)
    shop.world.power_on()
    while not shop.sees("Log in"):  # first: how the last payment ended
        shop.world.run_for(500)
        shop.world.press("C")
    found = {}
    for role in _RANK:
        enter(shop, role)
        shop.world.press("700E")
        shop.page("Not possible offline")
        shop.world.press("E")
        found["offline", role] = what_comes(shop, "Present card")
        cancel_to_home(shop)
        log_out(shop)
    shop.world.radio.state = "on"
    shop.page("Log in")
    for role in _RANK:
        enter(shop, role)
        shop.world.wait_screen("unreadable: settle", 60)
        shop.menu("settle")
        shop.agree_to("Settle the batch?")
        number = re.findall(r"Number (\d)", " ".join(shop.page("A payment cannot be read")))
        shop.world.press("E")
        asks = what_comes(shop, "Settle when all have been answered" if role == "a" else "Number 2")
        found["write_off", role] = asks
        assert number == [{"c": "1", "s": "1", "a": "2"}[role]]
        cancel_to_home(shop)
        log_out(shop)
    assert found == {(act, role): expected(role, "s") for act in ("offline", "write_off") for role in _RANK}


def test_a_reversal_that_waits_is_sent_by_a_supervisor_and_kept_without_the_host(shop: Cashier) -> None:
    enter(shop, "c")
    shop.host.mood = "mute"
    shop.offer(1250)
    shop.page("reversal pending")
    shop.world.remove()
    cancel_to_home(shop)
    shop.go_offline()
    log_out(shop)
    found = {}
    for role in _RANK:
        enter(shop, role)
        shop.menu("clear_reversal")
        said = " ".join(shop.page("Send it now?"))
        assert "Only the host's answer clears it" in said and "Reversal waits for the host" in said
        shop.world.press("E")
        found[role] = what_comes(shop, "No answer yet: it is sent again")
        cancel_to_home(shop)
        assert role == "a" or shop.journal().state(next(iter(shop.journal().records.values()))) == "reversing"
        log_out(shop)
    assert found == {role: expected(role, "s") for role in _RANK}
    enter(shop, "s")
    shop.host.mood = "normal"
    shop.world.radio.state = "on"
    shop.menu("clear_reversal")
    shop.agree_to("Send it now?")
    shop.page("The host has answered")
    cancel_to_home(shop)
    shop.menu("clear_reversal")
    shop.page("No reversal waits")
    assert shop.ledger() in ([], [(1250, "REVERSED")])


def test_the_first_administrators_code_needs_a_supervisor(make_cashier: Callable[..., Cashier]) -> None:
    shop = make_cashier(operators=STAFF[:1])
    shop.world.power_on()
    shop.page("Log in")
    found = {}
    for role in "cs":
        enter(shop, role)
        shop.menu("add_operator")
        found[role] = what_comes(shop, "No administrator has a code yet")
        cancel_to_home(shop)
        log_out(shop)
    assert found == {"c": ASKS_SUPERVISOR, "s": GOES_ON}
