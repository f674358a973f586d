# SPDX-License-Identifier: MIT
"""Offline, an authenticated card can approve at once; any other card's payment is at most deferred."""

from collections.abc import Callable
from pathlib import Path

from host_tests.harness.whole.cashier import Cashier
from tools.cards.catalogue import CATALOGUE
from tools.host.tables.card_entries import Excepted
from tools.host.tables.terminal_settings import OfflineApproval
from tools.provision.ca_public_keys import TEST

ALWAYS = OfflineApproval(floor=20_000, target=0, most=0)


def test_an_authenticated_card_is_approved_offline_and_settled(
    make_cashier: Callable[..., Cashier], tmp_path: Path
) -> None:
    cashier = make_cashier(approval=ALWAYS)
    cashier.sign_on()
    cashier.go_offline()
    cashier.offer(4500, "quartz")
    said = cashier.page("Approved offline")
    (tmp_path / "approved.png").write_bytes(cashier.world.screen_png())
    assert "Card proven, sent later" in said, said
    cashier.world.remove()
    cashier.home()
    assert "APPROVED OFFLINE" in cashier.world.receipts[-1].text()
    cashier.sell(30_000, "quartz", result="Accepted, to be authorised")  # above the floor limit
    cashier.sell(2_000, "jade", result="Accepted, to be authorised")  # a card without keys for offline authentication
    for name in ("maple", "slate", "plum"):
        cashier.sell(1_000, name, result="Approved offline")
    cashier.world.radio.state = "on"
    cashier.drain()
    assert cashier.agree() == 39_500


def test_a_card_that_approves_without_authentication_is_declined(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier(approval=ALWAYS)
    cashier.sign_on()
    cashier.go_offline()
    said = cashier.sell(2_000, "approves", result="Declined")
    assert "Card not proven genuine" in said, said
    assert not cashier.journal().records


def test_after_a_restart_the_clock_is_unknown_and_no_card_approves_offline(
    make_cashier: Callable[..., Cashier],
) -> None:
    cashier = make_cashier(approval=ALWAYS)
    cashier.sign_on()
    cashier.go_offline()
    cashier.world.power_off()
    cashier.back()
    cashier.home()
    cashier.sell(2_000, "quartz", result="Accepted, to be authorised")


def test_without_the_setting_no_card_approves_offline(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier(approval=None)
    cashier.sign_on()
    cashier.go_offline()
    cashier.sell(2_000, "quartz", result="Accepted, to be authorised")


def test_a_card_on_the_stop_list_is_refused_offline(make_cashier: Callable[..., Cashier]) -> None:
    listed = Excepted(CATALOGUE["jade"].pan)
    cashier = make_cashier(authorities=(*TEST, listed))
    cashier.sign_on()
    cashier.sell(1_000, "jade")  # the host decides
    cashier.go_offline()
    said = cashier.sell(2_000, "jade", result="Not taken")
    assert "Card is on the stop list" in said and "Please use another card" in said, said
    cashier.sell(2_000, "amber", result="Accepted, to be authorised")
