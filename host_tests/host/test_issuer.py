# SPDX-License-Identifier: MIT
"""What the issuer simulator approves and declines, tested through the whole host."""

from collections.abc import Callable

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from tools.cards.catalogue import CATALOGUE, GOOD
from tools.sim.host import Host


def sale(till: Terminal, amount: int, body: bytes, deferred: bool = False) -> tuple[str, str]:
    answer = till.ask(till.sale(till.record(amount, body), deferred))
    return answer.code, answer.text


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"t9F26": "0011223344556677"}, "59"),
        ({"t9F36": "0099"}, "59"),  # the ATC is part of the cryptogram
        ({"t9F02": "000000000001"}, "64"),
        ({"t9F10": "06010A03"}, "59"),
        ({"t9F10": ""}, "59"),
        ({"t57": ""}, "30"),
        ({"t57": "4999990000000013D31122010000000000000F"}, "14"),
    ],
)
def test_inconsistent_card_data_is_declined(
    host: Host, till: Terminal, card: Card, tags: dict[str, str], code: str
) -> None:
    assert sale(till, 1250, card.tap(1250, **tags))[0] == code
    assert set(host.view()["accounts"].values()) == {0}


def test_a_wrong_amount_is_declined(host: Host, till: Terminal, card: Card) -> None:
    assert sale(till, 1250, card.tap(1249))[0] == "64"
    record = till.record(1250, card.tap(1250))
    assert till.ask(till.sale(record, de_4=bytes.fromhex("000000001249"))).code == "64"
    assert set(host.view()["accounts"].values()) == {0}


def test_replayed_card_data_is_declined(till: Terminal, card: Card) -> None:
    body = card.tap(1250)
    assert sale(till, 1250, body)[0] == "00"
    assert sale(till, 1250, body) == ("59", "Card data used before")
    assert sale(till, 1250, body, deferred=True)[0] == "59"


def test_a_replay_is_detected_after_a_restart(
    new_host: Callable[[], Host], host: Host, till: Terminal, card: Card
) -> None:
    body = card.tap(1250)
    assert sale(till, 1250, body)[0] == "00"
    host.stop()
    again = new_host()
    till.connect(again.port, again.home)
    assert sale(till, 1250, body)[0] == "59"


def test_the_atc_must_rise_online_but_a_deferred_payment_may_arrive_late(till: Terminal, card: Card) -> None:
    early, middle, late = card.tap(100), card.tap(100), card.tap(100)
    assert sale(till, 100, late)[0] == "00"
    assert sale(till, 100, early)[0] == "59"
    assert sale(till, 100, middle, deferred=True)[0] == "00"


def test_expired_unknown_and_blocked_cards_are_declined(host: Host, till: Terminal) -> None:
    assert sale(till, 100, Card(expiry="2610").tap(100))[0] == "54"
    assert sale(till, 100, Card("4761730000000029", expiry="2611").tap(100))[0] == "00"
    host.simulator.blocked.add("4761730000000011")
    assert sale(till, 100, Card(atc=7).tap(100))[0] == "62"
    assert sale(till, 100, Card("4999990000000013").tap(100)) == ("14", "Unknown card issuer")


def test_an_aac_is_declined_and_a_tc_sent_online_is_decided_by_the_issuer(till: Terminal, card: Card) -> None:
    """A TC goes online if its authentication failed and the card's qualifiers ask for it (EMV Book C-3, CTQ)."""
    assert sale(till, 100, card.tap(100, t9F27="00"))[0] == "05"
    assert sale(till, 100, card.tap(100, t9F27="40"))[0] == "00"


def test_the_simulator_has_issuer_keys_for_every_good_card_of_the_catalogue(host: Host) -> None:
    keys = host.simulator._master_keys
    unknown = [name for name in GOOD if CATALOGUE[name].pan[:6] not in keys]
    assert GOOD and not unknown
