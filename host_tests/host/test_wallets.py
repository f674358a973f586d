# SPDX-License-Identifier: MIT
"""Orders at wallet providers: stored before they are asked, asked until there is a final word, never paid twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from host_tests.harness.host.scripted_provider import ScriptedProvider, Word
from tools.host.acquirers import orders
from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, Manners, Outcome, Words
from tools.host.acquirers.wallets import Wallet, Wallets
from tools.host.errors import IssuerFault, ProviderFault
from tools.host.outside.wallet import Order, Return, Revocation
from tools.host.store.ledger import Ledger
from tools.host.wire import kinds

MID, WECHAT, ALIPAY = "898000000000001", "134567890123456789", "281234567890123456"
REVERSED = Revocation("KASSA001", (1).to_bytes(16), MID, 1250, kinds.QR_SCANNED)
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def order(uid: int = 1, code: str = WECHAT, **more: Any) -> Order:
    return Order("KASSA001", uid.to_bytes(16), 1250, MID, "0156", code, **more)


def back(uid: int, amount: int = 1250) -> Return:
    return Return("KASSA002", uid.to_bytes(16), "KASSA001", (1).to_bytes(16), amount, MID, "0156")


def wallets(ledger: Ledger, **says: Word | list[Word]) -> tuple[Wallets, ScriptedProvider]:
    provider = ScriptedProvider(**says)
    return Wallets(ledger, [Wallet("wechat", "wechat", provider)]), provider


def row(ledger: Ledger, uid: int = 1) -> Any:
    with ledger.read() as db:
        return orders.find(db, "KASSA001", uid.to_bytes(16))


def test_a_payment_is_stored_before_it_is_asked_and_asked_once(ledger: Ledger) -> None:
    seen: list[str] = []

    class Looks(ScriptedProvider):
        def _say(self, call: str, reference: str) -> Outcome:
            seen.append(row(ledger).state)
            return super()._say(call, reference)

    provider = Looks(pay=Outcome(YES, their_id="4200001"))
    all_ = Wallets(ledger, [Wallet("wechat", "wechat", provider)])
    assert [run(all_.pay(order())).code for _ in range(3)] == ["00", "00", "00"]
    assert seen == ["ASKED"] and provider.asked == [("pay", (1).to_bytes(16).hex())]
    assert (row(ledger).state, row(ledger).their_id, row(ledger).amount) == ("PAID", "4200001", 1250)
    assert provider.orders[0].code == WECHAT and WECHAT not in repr(provider.orders[0])


def test_who_has_to_confirm_is_asked_about_until_there_is_a_word(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(
        ledger,
        pay=Outcome(WAITING, words=Words("Confirm on your phone", "请在手机上确认")),
        query=[Outcome(WAITING), Outcome(YES)],
    )
    first = run(all_.pay(order()))
    assert (first.code, first.text) == ("09", "Confirm on your phone")
    assert run(all_.pay(order())).code == "09"
    assert run(all_.pay(order())).code == "00"
    assert [call for call, _ in provider.asked] == ["pay", "query", "query"]


def test_a_provider_is_not_asked_more_often_than_it_wants(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(ledger, pay=Outcome(WAITING), query=Outcome(WAITING, again=30))
    provider.manners = Manners(interval=5)
    run(all_.pay(order()))
    for passed in range(0, 40):
        clock[0] += 1000
        assert run(all_.pay(order())).code == "09", passed
        run(all_.tend())
    assert [call for call, _ in provider.asked] == ["pay", "query", "query"]


def test_no_answer_is_no_refusal_and_an_order_that_never_arrived_is_asked_again(
    ledger: Ledger, clock: list[int]
) -> None:
    all_, provider = wallets(
        ledger,
        pay=[ProviderFault("cut"), Outcome(YES)],
        query=[OSError("cut"), Outcome(UNKNOWN), Outcome(UNKNOWN, missing=True)],
    )
    assert run(all_.pay(order())).code == "98" and row(ledger).trouble == "cut"
    for code in ("98", "98", "00"):
        clock[0] += 6000
        assert run(all_.pay(order())).code == code
    assert [call for call, _ in provider.asked] == ["pay", "query", "query", "query", "pay"]


def test_a_customer_who_takes_too_long_has_the_order_undone_right_after_the_last_query(
    ledger: Ledger, clock: list[int]
) -> None:
    """Although the terminal is silent: the host asks by itself."""
    all_, provider = wallets(
        ledger, pay=Outcome(WAITING), query=Outcome(WAITING), undo=[Outcome(WAITING), Outcome(YES)]
    )
    run(all_.pay(order()))
    clock[0] += 59_000
    run(all_.tend())
    clock[0] += 1_000
    run(all_.tend())
    assert [call for call, _ in provider.asked] == ["pay", "query", "query", "undo"]
    assert run(all_.pay(order())).code == "05" and provider.asked[-1][0] == "undo"
    assert (row(ledger).state, row(ledger).text_en, row(ledger).text_zh) == (
        "REFUSED", "Not paid in time", "未在时限内付款"
    )  # fmt: skip


def test_one_that_cannot_be_undone_when_its_time_is_over_is_paid(ledger: Ledger, clock: list[int]) -> None:
    all_, _ = wallets(ledger, pay=Outcome(WAITING), query=Outcome(WAITING), undo=Outcome(NO))
    run(all_.pay(order()))
    clock[0] += 60_000
    run(all_.tend())
    assert run(all_.pay(order())).code == "00"


@pytest.mark.parametrize("said", [Outcome(YES), Outcome(WAITING), ProviderFault("cut")])
def test_a_reversal_undoes_what_was_asked_whatever_was_answered(ledger: Ledger, clock: list[int], said: Word) -> None:
    all_, provider = wallets(ledger, pay=said, undo=[ProviderFault("cut"), Outcome(UNKNOWN), Outcome(YES)])
    run(all_.pay(order()))
    revoked = 0
    for _ in range(4):
        try:
            run(all_.revoke(REVERSED))
            revoked += 1
        except IssuerFault:
            clock[0] += 15_000
            run(all_.tend())  # asks about nothing that is being undone
    assert revoked == 1 and row(ledger).state == "UNDONE"
    assert [call for call, _ in provider.asked] == ["pay", "undo", "undo", "undo"]
    assert run(all_.pay(order())).code == "12"


def test_what_this_host_does_not_know_is_undone_at_every_wallet_that_could_have_it(
    ledger: Ledger, clock: list[int]
) -> None:
    """A reversal that overtakes its payment; or a payment that was asked about before a backup was restored."""
    wechat = ScriptedProvider(undo=Outcome(YES, missing=True))
    alipay = ScriptedProvider(undo=[Outcome(WAITING), Outcome(YES)])
    of_another = Wallet("other", "alipay", ScriptedProvider(), frozenset(("898000000000009",)))
    all_ = Wallets(ledger, [Wallet("wechat", "wechat", wechat), of_another, Wallet("alipay", "alipay", alipay)])
    for _ in range(20):
        try:
            run(all_.revoke(REVERSED))
        except IssuerFault:
            clock[0] += 10_000
            assert run(all_.pay(order())).code == "98", "not asked, and not refused before it is undone"
    assert run(all_.pay(order())).code == "12" and row(ledger).state == "UNDONE"
    assert {call for call, _ in wechat.asked + alipay.asked} == {"undo"} and len(alipay.asked) == 2


def test_a_clock_that_was_years_ahead_keeps_nobody_waiting(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(ledger, pay=Outcome(WAITING), query=Outcome(WAITING), undo=Outcome(YES))
    clock[0] += 10 * 365 * 86_400_000
    run(all_.pay(order()))
    clock[0] -= 10 * 365 * 86_400_000
    run(all_.tend())
    clock[0] += 60_000  # as if it was first asked when the clock was set
    run(all_.tend())
    assert [call for call, _ in provider.asked] == ["pay", "query", "query", "undo"] and row(ledger).state == "REFUSED"


def test_what_never_arrived_is_believed_only_after_a_minute(ledger: Ledger, clock: list[int]) -> None:
    all_, _ = wallets(ledger, pay=ProviderFault("cut"), undo=Outcome(YES, missing=True))
    run(all_.pay(order()))
    tried = 0
    while row(ledger).state != "UNDONE":
        clock[0] += 5_000
        tried += 1
        try:
            run(all_.revoke(REVERSED))
        except IssuerFault:
            continue
    assert tried == 12


def test_what_is_paid_and_cannot_be_undone_is_kept_in_sight(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(ledger, pay=Outcome(YES), undo=Outcome(NO))
    run(all_.pay(order()))
    clock[0] += 20_000
    for _ in range(3):
        with pytest.raises(IssuerFault, match="by hand"):
            run(all_.revoke(REVERSED))
    assert row(ledger).state == "KEPT" and [call for call, _ in provider.asked] == ["pay", "undo"]


def test_a_refund_is_asked_once_and_asked_about(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(
        ledger,
        pay=Outcome(YES, their_id="42"),
        refund=[Outcome(WAITING), Outcome(YES)],
        query_refund=[Outcome(WAITING), Outcome(YES)],
    )
    assert run(all_.give_back(back(2))).code == "25"
    run(all_.pay(order()))
    assert [run(all_.give_back(back(2, 250))).code for _ in range(4)] == ["09", "09", "00", "00"]
    assert run(all_.give_back(back(3, 1000))).code == "00"
    assert [call for call, _ in provider.asked] == ["pay", "refund", "query_refund", "query_refund", "refund"]
    assert provider.orders[-1].their_id == "42"


def test_a_code_goes_to_its_wallet_and_no_other(ledger: Ledger) -> None:
    wechat, alipay = ScriptedProvider(pay=Outcome(YES)), ScriptedProvider(pay=Outcome(WAITING, shown=b"https://qr"))
    all_ = Wallets(
        ledger,
        [
            Wallet("wechat", "wechat", wechat, shows=False),
            Wallet("elsewhere", "alipay", wechat, frozenset(("898000000000009",))),
            Wallet("alipay", "alipay", alipay),
        ],
    )
    assert [run(all_.pay(order(1))).code, run(all_.pay(order(2, ALIPAY))).code] == ["00", "09"]
    assert run(all_.pay(order(3, ""))).shown == b"https://qr"  # the first that shows a code
    assert run(all_.pay(order(4, "", wallet="alipay"))).shown == b"https://qr"
    for bad in ("134567890123456", "1345678901234567890123456", "6212345678901234567", "13456789012345678x", "１" * 18):
        assert run(all_.pay(order(9, bad))).code == "14", bad
    assert run(all_.pay(order(9, "", wallet="wechat"))).code == "14"
    assert [len(provider.asked) for provider in (wechat, alipay)] == [1, 3] and row(ledger, 9) is None


def test_a_wallet_that_is_set_up_no_more_leaves_its_orders_open(ledger: Ledger, clock: list[int]) -> None:
    all_, _ = wallets(ledger, pay=Outcome(WAITING))
    run(all_.pay(order()))
    other = Wallets(ledger, [Wallet("other", "wechat", ScriptedProvider(query=Outcome(YES)))])
    clock[0] += 10_000
    run(other.tend())
    assert "wechat" in row(ledger).trouble and row(ledger).state == "WAITING"


def test_two_processes_ask_once(ledger: Ledger, clock: list[int]) -> None:
    provider = ScriptedProvider(pay=Outcome(WAITING), query=Outcome(WAITING, again=5))
    both = [Wallets(ledger, [Wallet("wechat", "wechat", provider)]) for _ in range(2)]
    run(both[0].pay(order()))
    clock[0] += 10_000

    async def at_once() -> None:
        await asyncio.gather(*(one.tend() for one in both for _ in range(3)))

    run(at_once())
    assert [call for call, _ in provider.asked] == ["pay", "query"]


def test_an_order_that_never_arrived_is_left_to_its_terminal_which_has_the_code(
    ledger: Ledger, clock: list[int]
) -> None:
    all_, provider = wallets(
        ledger, pay=[ProviderFault("cut"), Outcome(YES)], query=Outcome(UNKNOWN, missing=True), undo=Outcome(YES)
    )
    run(all_.pay(order()))
    for _ in range(5):
        clock[0] += 6_000
        run(all_.tend())
    assert [call for call, _ in provider.asked] == ["pay"]
    assert run(all_.pay(order())).code == "00"
    assert [call for call, _ in provider.asked] == ["pay", "query", "pay"]


def test_an_order_that_is_not_there_when_its_time_is_over_may_still_be_on_its_way(
    ledger: Ledger, clock: list[int]
) -> None:
    all_, provider = wallets(
        ledger,
        pay=ProviderFault("cut"),
        query=Outcome(UNKNOWN, missing=True),
        undo=[Outcome(YES, missing=True), Outcome(YES)],
    )
    provider.manners = Manners(interval=0.0, patience=45.0)
    run(all_.pay(order()))
    clock[0] += 45_000
    run(all_.tend())
    assert row(ledger).state == "EXPIRING"
    clock[0] += 6_000
    run(all_.tend())
    assert row(ledger).state == "REFUSED" and [call for call, _ in provider.asked] == ["pay", "query", "undo", "undo"]


def test_a_code_to_be_shown_that_never_came_is_asked_for_again(ledger: Ledger, clock: list[int]) -> None:
    all_, provider = wallets(
        ledger,
        pay=[ProviderFault("cut"), Outcome(WAITING, shown=b"https://qr")],
        query=[Outcome(UNKNOWN, missing=True), Outcome(UNKNOWN, missing=True)],
    )
    assert run(all_.pay(order(code=""))).code == "98"
    clock[0] += 6_000
    run(all_.tend())
    assert run(all_.pay(order(code=""))).shown == b"https://qr"
    clock[0] += 6_000
    run(all_.tend())
    asked = [call for call, _ in provider.asked]
    assert asked == ["pay", "query", "pay", "query", "query"], "not again once it is shown"
