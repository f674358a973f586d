# SPDX-License-Identifier: MIT
"""Wallets whose settings change, whose requests are slow, or who are asked for what cannot be done. Money first."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from typing import Any

import pytest

from host_tests.harness.host.scripted_provider import ScriptedProvider
from host_tests.host.test_wallets import ALIPAY, MID, REVERSED, back, order, row, run, wallets
from tools.host.acquirers import orders
from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, Manners, Outcome, Words
from tools.host.acquirers.provider import Order as Asked
from tools.host.acquirers.wallets import Wallet, Wallets
from tools.host.errors import IssuerFault, ProviderFault
from tools.host.outside.messenger import Messenger
from tools.host.outside.wallet import Order, Return, Revocation
from tools.host.store.ledger import Ledger
from tools.host.wire import kinds

GIVEN_BACK = Revocation("KASSA002", (2).to_bytes(16), MID, 1250, kinds.QR_REFUND)


def refund_row(ledger: Ledger, uid: int = 2) -> Any:
    with ledger.read() as db:
        return orders.refund_of(db, "KASSA002", uid.to_bytes(16))


@pytest.mark.parametrize("code", ["134567890123456789", ""])
def test_an_order_is_asked_about_where_it_was_asked_for_whatever_the_settings_say_now(
    ledger: Ledger, clock: list[int], code: str
) -> None:
    """It used to be refused, as a new one would be, although the customer could still pay it, or had."""
    all_, provider = wallets(ledger, pay=Outcome(WAITING), query=[Outcome(WAITING), Outcome(YES)])
    assert run(all_.pay(order(code=code))).code == "09"
    elsewhere = Wallet("wechat", "wechat", provider, frozenset(("898000000000009",)))  # not this merchant's any more
    changed = Wallets(ledger, [elsewhere])
    clock[0] += 6_000
    assert run(changed.pay(order(code=code))).code == "09"
    removed = Wallets(ledger, [Wallet("renamed", "other", ScriptedProvider(), shows=False)])
    clock[0] += 6_000
    with pytest.raises(IssuerFault, match="not set up any more"):
        run(removed.pay(order(code=code)))
    assert row(ledger).state == "WAITING"
    clock[0] += 6_000
    assert run(changed.pay(order(code=code))).code == "00"
    assert run(removed.pay(order(code=code))).code == "00", "it is known to be paid"


def test_a_refund_that_was_given_is_not_said_to_be_undone(ledger: Ledger, clock: list[int]) -> None:
    """Its undo went to the wallets as that of an order, which nobody knows there: so it counted as done."""
    all_, provider = wallets(
        ledger, pay=Outcome(YES), refund=Outcome(YES), undo=Outcome(YES, missing=True), query_refund=Outcome(YES)
    )
    run(all_.pay(order()))
    assert run(all_.give_back(back(2))).code == "00"
    for _ in range(3):
        clock[0] += 60_000
        with pytest.raises(IssuerFault, match="by hand"):
            run(all_.revoke(GIVEN_BACK))
    assert ("undo", (2).to_bytes(16).hex()) not in provider.asked and refund_row(ledger).state == "PAID"


@pytest.mark.parametrize("found, ends", [(Outcome(YES), "PAID"), (Outcome(NO), "REFUSED")])
def test_a_refund_without_an_answer_is_asked_about_before_it_comes_to_nothing(
    ledger: Ledger, clock: list[int], found: Outcome, ends: str
) -> None:
    all_, provider = wallets(
        ledger,
        pay=Outcome(YES),
        refund=ProviderFault("cut"),
        undo=Outcome(YES, missing=True),
        query_refund=[ProviderFault("cut"), Outcome(WAITING), found],
    )
    run(all_.pay(order()))
    run(all_.give_back(back(2)))
    for _ in range(2):
        clock[0] += 10_000
        with pytest.raises(IssuerFault):
            run(all_.revoke(GIVEN_BACK))
    clock[0] += 10_000
    if ends == "PAID":
        with pytest.raises(IssuerFault, match="by hand"):
            run(all_.revoke(GIVEN_BACK))
    else:
        run(all_.revoke(GIVEN_BACK))
    assert refund_row(ledger).state == ends
    assert [call for call, _ in provider.asked] == ["pay", "refund"] + 3 * ["query_refund"]


def test_a_refund_that_never_arrived_comes_to_nothing_after_a_minute_and_stays_so(
    ledger: Ledger, clock: list[int]
) -> None:
    missing = Outcome(UNKNOWN, missing=True)
    all_, provider = wallets(ledger, pay=Outcome(YES), refund=ProviderFault("cut"), query_refund=missing)
    run(all_.pay(order()))
    run(all_.give_back(back(2)))
    clock[0] += 30_000
    with pytest.raises(IssuerFault):
        run(all_.revoke(GIVEN_BACK))
    clock[0] += 36_000
    run(all_.revoke(GIVEN_BACK))
    assert run(all_.give_back(back(2))).code == "12"
    assert [call for call, _ in provider.asked] == ["pay", "refund", "query_refund", "query_refund"]


def test_a_refund_that_was_never_asked_for_comes_to_nothing(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(ledger, pay=Outcome(YES))
    run(all_.revoke(GIVEN_BACK))
    assert not provider.asked


def test_a_refusal_of_a_repeat_is_none_if_the_first_request_got_through(ledger: Ledger, clock: list[int]) -> None:
    """The first one was slow, not lost: it has used up the customer's code, so the repeat is refused for that."""
    all_, provider = wallets(
        ledger,
        pay=[ProviderFault("no answer in time"), Outcome(NO, "14")],
        query=[Outcome(UNKNOWN, missing=True), Outcome(WAITING), Outcome(YES)],
    )
    assert run(all_.pay(order())).code == "98"
    clock[0] += 6_000
    assert run(all_.pay(order())).code == "09"
    clock[0] += 6_000
    assert run(all_.pay(order())).code == "00"


def test_a_refusal_of_a_repeat_is_one_if_there_is_no_order(ledger: Ledger, clock: list[int]) -> None:
    missing = Outcome(UNKNOWN, missing=True)
    all_, provider = wallets(ledger, pay=[ProviderFault("cut"), Outcome(NO, "14")], query=missing)
    run(all_.pay(order()))
    clock[0] += 6_000
    assert run(all_.pay(order())).code == "14"
    assert [call for call, _ in provider.asked] == ["pay", "query", "pay", "query"]


def test_an_order_is_not_asked_for_again_when_it_could_be_on_its_way_while_it_is_undone(
    ledger: Ledger, clock: list[int]
) -> None:
    """What was asked for at 59 s used to be believed not to exist at 60 s."""
    last = [0]

    class Slow(ScriptedProvider):
        async def pay(self, order: Asked) -> Outcome:
            last[0] = clock[0]
            return await super().pay(order)

    missing = Outcome(UNKNOWN, missing=True)
    provider = Slow(pay=ProviderFault("no answer in time"), query=missing, undo=Outcome(YES, missing=True))
    provider.manners = Manners(interval=0.0, patience=60.0)
    all_ = Wallets(ledger, [Wallet("wechat", "wechat", provider)])
    run(all_.pay(order()))
    while row(ledger).state != "REFUSED":
        clock[0] += 6_000
        run(all_.pay(order()))
    assert clock[0] - last[0] >= 30_000 and len(provider.orders) > 2


def test_a_shown_code_that_only_a_lost_host_knew_is_not_undone_while_it_can_be_scanned(
    ledger: Ledger, clock: list[int]
) -> None:
    """There is nothing to find at the wallet before somebody scans it."""
    undo = Outcome(YES, missing=True)
    all_, provider = wallets(ledger, undo=undo)
    provider.manners = Manners(shown_patience=120.0)
    shown = Revocation("KASSA001", (1).to_bytes(16), MID, 1250, kinds.QR_SHOWN)
    waited = 0
    while True:
        try:
            run(all_.revoke(shown))
            break
        except IssuerFault:
            clock[0] += 5_000
            waited += 5
    assert waited >= 180 and row(ledger).state == "UNDONE"


def test_what_nobody_can_be_asked_about_is_not_undone(ledger: Ledger, clock: list[int]) -> None:
    all_ = Wallets(ledger, [Wallet("wechat", "wechat", ScriptedProvider(), frozenset(("898000000000009",)))])
    for _ in range(3):
        with pytest.raises(IssuerFault, match="no wallet"):
            run(all_.revoke(REVERSED))
        clock[0] += 60_000
    assert row(ledger).state == "UNDOING"


def test_one_merchant_gives_nothing_back_of_another_ones_order(ledger: Ledger) -> None:
    all_, provider = wallets(ledger, pay=Outcome(YES), refund=Outcome(YES))
    run(all_.pay(order()))
    stranger = Return("KASSA002", (2).to_bytes(16), "KASSA001", (1).to_bytes(16), 1250, "898000000000009", "0156")
    assert run(all_.give_back(stranger)).code == "25"
    assert [call for call, _ in provider.asked] == ["pay"]


def test_the_same_number_with_another_amount_is_neither_paid_nor_refused(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(ledger, pay=Outcome(YES))
    run(all_.pay(order()))
    other = Order("KASSA001", (1).to_bytes(16), 125_000, MID, "0156", order().code)
    with pytest.raises(IssuerFault, match="another amount"):
        run(all_.pay(other))
    assert len(provider.asked) == 1


def test_a_merchant_with_an_account_of_its_own_is_not_paid_into_everybodys(ledger: Ledger) -> None:
    everybodys, own = ScriptedProvider(pay=Outcome(YES)), ScriptedProvider(pay=Outcome(YES))
    all_ = Wallets(
        ledger,
        [
            Wallet("wechat", "wechat", everybodys),
            Wallet("wechat-2", "wechat", own, frozenset((MID,))),
            Wallet("alipay", "alipay", everybodys),
        ],
    )
    for one in (order(1), order(2, ""), order(3, "", wallet="wechat")):
        assert run(all_.pay(one)).code == "00"
    assert [len(own.asked), len(everybodys.asked)] == [3, 0]
    assert run(all_.pay(order(4, ALIPAY))).code == "00" and len(everybodys.asked) == 1


def test_names_that_nobody_can_look_up_stop_no_other_wallet(ledger: Ledger) -> None:
    """Looking up a name takes a thread of the event loop until the name server answers, also when nobody waits any more."""
    all_, _ = wallets(ledger, pay=Outcome(YES))
    gate = threading.Event()

    async def pay() -> str:
        loop = asyncio.get_running_loop()
        stuck = [loop.run_in_executor(None, gate.wait, 60) for _ in range(64)]
        try:
            return (await asyncio.wait_for(all_.pay(order()), 20)).code
        finally:
            gate.set()
            await asyncio.gather(*stuck)

    assert run(pay()) == "00"


@pytest.mark.parametrize("fault", [IssuerFault("away"), RuntimeError("broken")])
def test_a_wallet_that_breaks_while_it_is_tended_does_not_end_the_messenger(ledger: Ledger, fault: Exception) -> None:
    """No reversal was told to anybody after that, until the host was started again."""
    tended: list[int] = []
    all_, _ = wallets(ledger)

    async def tend() -> None:
        tended.append(1)
        if len(tended) == 1:
            raise fault

    all_.tend = tend  # type: ignore[method-assign]

    async def in_thread(work: Any, *args: Any) -> Any:
        return await asyncio.to_thread(work, *args)

    async def twice() -> None:
        messenger = Messenger(ledger, all_, all_, in_thread)  # type: ignore[arg-type]
        running = asyncio.create_task(messenger.run())
        while len(tended) < 2 and not running.done():
            messenger.wake()
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run(twice())
    assert len(tended) >= 2


def test_a_clock_that_is_set_back_does_not_shorten_the_minute_in_which_an_order_may_arrive(
    ledger: Ledger, clock: list[int]
) -> None:
    """Its reversal used to be confirmed at once, although what was asked for a moment ago was still on its way."""
    all_, _ = wallets(ledger, pay=ProviderFault("no answer in time"), undo=Outcome(YES, missing=True))
    run(all_.pay(order()))
    clock[0] -= 300_000
    waited = 0
    while row(ledger).state != "UNDONE":
        try:
            run(all_.revoke(REVERSED))
        except IssuerFault:
            clock[0] += 10_000
            waited += 10
    assert waited == 60


def test_a_clock_that_is_set_back_keeps_no_order_from_being_asked_about(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(
        ledger, pay=Outcome(WAITING), query=Outcome(WAITING), refund=Outcome(WAITING), query_refund=Outcome(YES)
    )
    provider.manners = Manners(interval=5.0)
    run(all_.pay(order()))
    clock[0] -= 1_800_000

    async def two_at_once() -> None:
        await asyncio.gather(all_.tend(), all_.tend())

    run(two_at_once())
    assert [call for call, _ in provider.asked] == ["pay", "query"]
    provider.says["query"] = [Outcome(YES)]
    clock[0] += 31_000
    assert run(all_.pay(order())).code == "00"
    assert run(all_.give_back(back(2))).code == "09"
    clock[0] -= 1_800_000
    assert run(all_.give_back(back(2))).code == "00"


def test_a_wallet_whose_orders_all_hang_leaves_time_for_the_orders_of_others(ledger: Ledger, clock: list[int]) -> None:
    slow, quick = (
        ScriptedProvider(pay=Outcome(WAITING), query=ProviderFault("no answer")),
        ScriptedProvider(pay=Outcome(WAITING), query=Outcome(YES)),
    )
    all_ = Wallets(ledger, [Wallet("wechat", "wechat", slow), Wallet("alipay", "alipay", quick)])
    for uid in range(1, 31):
        run(all_.pay(order(uid)))
    clock[0] += 10
    run(all_.pay(order(99, ALIPAY)))
    clock[0] += 6_000
    run(all_.tend())
    assert row(ledger, 99).state == "PAID"


def test_words_are_those_of_what_became_of_an_order(ledger: Ledger, clock: list[int]) -> None:
    """An approved payment used to say "give it back in cash", and an undone one that it was paid."""
    by_hand, thanks = Words("Paid: give it back in cash", "已付款，请退现金"), Words("Paid with Alipay", "支付宝已付款")
    all_, provider = wallets(ledger, pay=Outcome(WAITING), query=Outcome(WAITING), undo=Outcome(NO, words=by_hand))
    run(all_.pay(order()))
    clock[0] += 60_000
    late = run(all_.pay(order()))
    assert (late.code, late.text) == ("00", "Paid")
    provider.says |= {"pay": [Outcome(YES, words=thanks)], "undo": [Outcome(YES)]}
    run(all_.pay(order(2)))
    clock[0] += 60_000
    run(all_.revoke(dataclasses.replace(REVERSED, uid=(2).to_bytes(16))))
    assert (row(ledger, 2).text_en, row(ledger, 2).text_zh) == ("Undone", "已撤销")
