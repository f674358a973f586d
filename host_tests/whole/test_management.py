# SPDX-License-Identifier: MIT
"""Management by the host: published limits, keys and blocked BINs, echo test, sign-off, and automatic settlement."""

from __future__ import annotations

import datetime
import sqlite3

import pytest

from host_tests.harness.host.desk import rows
from host_tests.harness.whole.cashier import Cashier
from kassa import VERSION
from tools.host.tables import publication
from tools.host.tables.card_entries import Application, Excepted
from tools.host.tables.terminal_settings import OfflineApproval, OfflineLimits, Settling
from tools.provision.ca_public_keys import TEST
from tools.world.flash import PARTITIONS

JADE = "4761730000000011"


def versions(cashier: Cashier) -> dict[str, int]:
    with cashier.host.ledger.read() as db:
        return publication.known(db, "KASSA001")


def publish(cashier: Cashier, network: str, data: bytes) -> None:
    """Publish a table, and restart the terminal so that it fetches it."""
    version = cashier.host.tables.publish(network, data)
    cashier.restart()
    cashier.home()
    cashier.world.wait_screen("Online", 60)
    cashier.world.wait(lambda: versions(cashier).get(network) == version, "the table at the terminal", 60)


def test_new_limits_apply_and_survive_a_restart(cashier: Cashier) -> None:
    limits = OfflineLimits(payment=3_000).pack()
    name = "新字号".encode()
    publish(
        cashier,
        publication.PARAMETERS,
        publication.parameters({0x0C: limits, 0x10: (9_900).to_bytes(6, "big"), 0x03: name}),
    )
    cashier.go_offline()
    cashier.home()
    cashier.world.press("3001E")
    cashier.world.wait_screen("One offline payment: at most ¥30.00")
    cashier.home()
    cashier.world.press("9901E")
    cashier.world.wait_screen("Over the limit of ¥99.00")
    cashier.world.press("C")
    cashier.home()
    cashier.restart()
    cashier.home()
    cashier.world.wait_screen("新字号")


def test_the_host_knows_the_firmware_and_what_waits(cashier: Cashier) -> None:
    assert rows(cashier.host, "SELECT firmware, waiting FROM terminal") == [(VERSION, 0)]
    cashier.go_offline()
    cashier.sell(700, "amber", "Accepted")
    cashier.world.radio.state = "on"
    cashier.world.wait(lambda: rows(cashier.host, "SELECT waiting FROM terminal") == [(1,)], "a handshake", 60)


def test_a_new_table_waits_while_the_host_takes_no_payment_and_the_terminal_stays_alive(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.sell(700, "amber", "Accepted")
    version = cashier.host.tables.publish(publication.PARAMETERS, publication.parameters({0x03: b"New shop"}))
    cashier.host.mood = "decline 91"
    cashier.world.radio.state = "on"
    cashier.world.wait(lambda: cashier.host.counters.get("answer_0210", 0) >= 2, "two answers", 60)
    cashier.world.press("M")
    cashier.page("Menu")
    cashier.world.press("C")
    cashier.home()
    assert versions(cashier).get(publication.PARAMETERS, 0) < version
    cashier.host.mood = "normal"
    cashier.world.wait(
        lambda: versions(cashier).get(publication.PARAMETERS) == version, "the table at the terminal", 90
    )
    cashier.world.wait_screen("New shop", 60)
    assert cashier.agree() == 700


def turned_away(cashier: Cashier, amount: int, card: str, said: str) -> None:
    """Offer a card that is refused with `said`; then cancel the sale."""
    cashier.offer(amount, card)
    cashier.page(said)
    cashier.world.press("C")
    cashier.world.remove()
    cashier.home()


MANY = OfflineLimits(count=60_000).pack()


@pytest.mark.parametrize(
    "bad",
    [{0x0E: bytes(24)}, {0x03: b"\xff\xfe"}, {0x0C: MANY}, {0x0C: MANY[:-1]}],
    ids=["code", "name", "count", "size"],
)
def test_an_invalid_parameter_table_changes_nothing(cashier: Cashier, bad: dict[int, bytes]) -> None:
    cashier.host.tables.publish(publication.PARAMETERS, publication.parameters({0x10: bytes(6), **bad}))
    cashier.restart()
    cashier.home()
    cashier.world.run_for(20_000)
    cashier.home()
    cashier.sell(1250)
    assert versions(cashier).get(publication.PARAMETERS, 0) == 0


def test_a_blocked_bin_is_refused_offline(cashier: Cashier) -> None:
    publish(cashier, publication.BLOCKED_BINS, publication.blocked_bins(["99", JADE[:15]]))
    cashier.go_offline()
    cashier.offer(1250, "jade")
    cashier.page("stop list")
    cashier.world.remove()
    cashier.home()
    cashier.sell(1250, "amber", "Accepted")


def test_new_keys_replace_the_old_and_the_stop_list_stays(make_cashier) -> None:  # noqa: ANN001 - a factory
    ready = make_cashier(authorities=(*TEST, Excepted(JADE)))
    ready.sign_on()
    publish(ready, publication.CA_KEYS, publication.ca_keys(TEST[:1]))
    publish(ready, publication.BLOCKED_BINS, publication.blocked_bins(["99"]))
    publish(ready, publication.CA_KEYS, publication.ca_keys(TEST))
    ready.go_offline()
    ready.offer(1250, "jade")
    ready.page("stop list")
    ready.world.remove()
    ready.home()
    assert versions(ready) == {publication.CA_KEYS: 2, publication.BLOCKED_BINS: 1}


VISA, MCHIP, UNION = (bytes.fromhex(rid) for rid in ("A000000003", "A000000004", "A000000333"))


def test_published_applications_and_their_limits_apply(make_cashier) -> None:  # noqa: ANN001 - a factory
    ready = make_cashier(approval=OfflineApproval(floor=0))
    ready.sign_on()
    rows = [Application(VISA, 3, limit=9_000, floor=3_000), Application(MCHIP, 2, floor=1_000)]
    publish(ready, publication.APPLICATIONS, publication.applications(rows))
    turned_away(ready, 1_000, "plum", "Card not accepted here")
    turned_away(ready, 9_000, "quartz", "Over this card's limit")
    ready.sell(8_999, "quartz")
    ready.go_offline()
    ready.sell(3_000, "quartz", "Approved offline")
    ready.sell(3_001, "quartz", "Accepted, to be authorised")
    ready.sell(1_000, "maple", "Approved offline")
    ready.sell(1_001, "maple", "Accepted, to be authorised")


GOOD = publication.applications([Application(VISA, 3)])


@pytest.mark.parametrize("bad", [GOOD[:1] + b"\x05" + GOOD[2:], GOOD * 25], ids=["kernel 5", "25 rows"])
def test_an_invalid_application_table_changes_nothing_and_a_valid_one_follows(cashier: Cashier, bad: bytes) -> None:
    """The host stays reachable: it approves every sale, on any number of connections."""
    cashier.host.tables.publish(publication.APPLICATIONS, bad)
    cashier.restart()
    cashier.home()
    connections = cashier.world.radio.connections
    for _ in range(6):
        cashier.sell(1250, "plum")
        cashier.world.run_for(12_000)
    assert cashier.world.radio.connections >= connections + 4
    assert versions(cashier).get(publication.APPLICATIONS, 0) == 0
    publish(
        cashier,
        publication.APPLICATIONS,
        publication.applications([Application(VISA, 3), Application(UNION, 7, limit=1_250)]),
    )
    cashier.offer(1250, "plum")
    cashier.page("limit")


def test_rotted_card_tables_approve_nothing_offline_and_are_fetched_again(make_cashier) -> None:  # noqa: ANN001 - a factory
    ready = make_cashier(approval=OfflineApproval(target=0, most=0))
    ready.sign_on()
    publish(ready, publication.APPLICATIONS, publication.applications([Application(VISA, 3, limit=9_000, floor=9_000)]))
    publish(ready, publication.BLOCKED_BINS, publication.blocked_bins(["99"]))
    ready.go_offline()
    ready.sell(1_000, "quartz", "Approved offline")
    ready.world.power_off()
    flash = ready.world.home / "flash.bin"
    data, (base, size) = bytearray(flash.read_bytes()), PARTITIONS["cards"]
    for half in (base, base + size // 2):
        data[half + 40] ^= 1
    flash.write_bytes(data)
    ready.back()
    ready.world.radio.state = "on"
    ready.home()
    ready.sell(9_001, "quartz")  # the host decides
    ready.world.run_for(20_000)
    ready.home()
    turned_away(ready, 9_001, "quartz", "Over this card's limit")
    ready.go_offline()
    ready.sell(1_000, "quartz", "Declined")  # scheme keys come only with provisioning, so no card can be authenticated
    assert versions(ready) == {publication.APPLICATIONS: 1, publication.BLOCKED_BINS: 1}


def test_the_terminal_answers_a_status_request(cashier: Cashier) -> None:
    cashier.host.tables.ask_status = True
    cashier.restart()
    cashier.home()
    cashier.world.wait(lambda: not cashier.host.tables.ask_status, "the status", 60)


@pytest.mark.parametrize("entry, said", [("echo", "The host answers"), ("sign_off", "The host knows")])
def test_after_echo_test_or_sign_off_the_terminal_sells(cashier: Cashier, entry: str, said: str) -> None:
    cashier.menu(entry)
    if entry == "sign_off":
        cashier.supervise()
    assert any(said in line for line in cashier.page(said))
    cashier.home()
    cashier.sell(1250)


def closed(cashier: Cashier) -> list[tuple]:
    with sqlite3.connect(cashier.host.ledger.path) as db:
        return db.execute("SELECT number, debit_amount, debit_count FROM batch WHERE state = 'closed'").fetchall()


def test_the_batch_settles_automatically_at_its_count(cashier: Cashier) -> None:
    publish(cashier, publication.PARAMETERS, publication.parameters({0x12: Settling(count=3).pack()}))
    for _ in range(2):
        cashier.sell(1000)
    assert not closed(cashier)
    cashier.sell(1000)
    cashier.world.wait(lambda: bool(closed(cashier)), "the close", 60)
    cashier.home()
    assert closed(cashier) == [("000001", 3000, 3)]


def test_a_failed_automatic_settlement_is_retried_after_half_an_hour(cashier: Cashier) -> None:
    """Not every minute, because each attempt may print a slip."""
    publish(cashier, publication.PARAMETERS, publication.parameters({0x12: Settling(count=2).pack()}))
    cashier.sell(1000)
    cashier.offer(1000)
    cashier.page("Approved")
    cashier.host.mood = "silent"
    cashier.world.remove()
    cashier.world.press("E")
    cashier.page("Not settled")
    cashier.host.mood = "normal"
    cashier.home()
    cashier.world.run_for(25 * 60_000, 120)
    assert not closed(cashier)
    cashier.world.run_for(6 * 60_000, 60)
    cashier.world.wait(lambda: bool(closed(cashier)), "the close", 60)
    assert closed(cashier) == [("000001", 2000, 2)]


def test_the_batch_settles_automatically_at_its_time(cashier: Cashier) -> None:
    soon = datetime.datetime.now() + datetime.timedelta(minutes=3)
    publish(
        cashier, publication.PARAMETERS, publication.parameters({0x12: Settling(soon.hour * 60 + soon.minute).pack()})
    )
    cashier.sell(1000)
    cashier.world.run_for(5_000)
    assert not closed(cashier)
    cashier.world.run_for(300_000)
    cashier.world.wait(lambda: len(closed(cashier)) == 1, "the close", 60)
    assert closed(cashier) == [("000001", 1000, 1)]
    cashier.home()


def test_a_payment_dated_in_the_future_does_not_keep_the_batch_open(cashier: Cashier) -> None:
    """The host's clock was in 2036 for one sale. That batch is settled once the clock is right."""
    soon = datetime.datetime.now() + datetime.timedelta(minutes=10)
    setting = publication.parameters({0x12: Settling(soon.hour * 60 + soon.minute).pack()})
    cashier.host.now = lambda: datetime.datetime(2036, 5, 4, soon.hour, soon.minute) + datetime.timedelta(minutes=1)
    publish(cashier, publication.PARAMETERS, setting)
    cashier.sell(1000)
    assert not closed(cashier)
    cashier.host.now = datetime.datetime.now
    cashier.restart()
    cashier.world.wait_screen("Online", 60)
    cashier.home()
    cashier.world.run_for(180_000)
    cashier.world.wait(lambda: len(closed(cashier)) == 1, "the close", 30)
    assert closed(cashier) == [("000001", 1000, 1)]


def test_a_clock_set_back_a_little_settles_nothing_early(cashier: Cashier) -> None:
    """The batch's first payment is then some minutes in the future, which must not trigger a settlement."""
    settling = Settling((datetime.datetime.now().hour * 60 + 720) % 1440)
    publish(cashier, publication.PARAMETERS, publication.parameters({0x12: settling.pack()}))
    cashier.sell(1000)
    cashier.host.now = lambda: datetime.datetime.now() - datetime.timedelta(minutes=10)
    cashier.restart()
    cashier.world.wait_screen("Online", 60)
    cashier.home()
    cashier.world.run_for(180_000)
    assert not closed(cashier)
