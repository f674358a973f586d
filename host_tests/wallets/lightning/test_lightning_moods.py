# SPDX-License-Identifier: MIT
"""The Lightning adapter when the server, or what stands before it, misbehaves: nothing is believed, nothing is refused."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from host_tests.harness.lightning.bench import MSAT, Bench, order
from host_tests.harness.lightning.faulty_proxy import AFTER, BAD_ANSWERS, BEFORE, SPOILT, FaultyProxy
from tools.host.acquirers.lightning import invoice, line
from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, Order, Outcome
from tools.host.errors import ProviderFault
from tools.host.keys import pki
from tools.sim import bolt11

T = TypeVar("T")
MOODS = (*BEFORE, *AFTER, *BAD_ANSWERS, *SPOILT)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def asked_of(bench: Bench) -> Order:
    """An order whose invoice is shown."""
    asked = order()
    said = run(bench.provider.pay(asked))
    return replace(asked, shown=said.shown, their_id=said.their_id)


def heard(work: Coroutine[Any, Any, Outcome]) -> str:
    """The answer of a call; a ProviderFault is UNKNOWN."""
    try:
        return run(work).answer
    except ProviderFault as fault:
        assert fault.__context__ is None or fault.__suppress_context__  # nothing of a library's is carried along
        return UNKNOWN


def quick(mood: str, monkeypatch: pytest.MonkeyPatch, limit: float) -> None:
    """Do not wait long for what never comes."""
    if "hang" in mood or mood == "endless":
        monkeypatch.setattr(line, "LIMIT", limit)


@pytest.mark.parametrize("mood", MOODS)
def test_a_call_that_fails_is_unknown_and_the_next_one_finds_the_truth(
    bench: Bench, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(mood, monkeypatch, 1.5)
    asked = order()
    for method in ("GET", "POST"):
        bench.proxy.set(mood, method)
        assert heard(bench.provider.pay(asked)) == UNKNOWN
        bench.proxy.set("")
    monkeypatch.setattr(line, "LIMIT", 5.5)
    made = len(bench.server.rows(asked.reference))
    assert made == (mood in (*AFTER, *SPOILT))
    assert heard(bench.provider.query(asked)) == (WAITING if made else UNKNOWN)
    said = run(bench.provider.pay(asked))
    assert said.answer == WAITING and len(bench.server.rows(asked.reference)) == 1
    asked = replace(asked, shown=said.shown, their_id=said.their_id)
    for paid in (False, True):
        assert not paid or bench.server.pay(asked.shown)
        for call in (bench.provider.query, bench.provider.undo):
            quick(mood, monkeypatch, 0.2)
            bench.proxy.set(mood)
            assert heard(call(asked)) == UNKNOWN
            bench.proxy.set("")
            monkeypatch.setattr(line, "LIMIT", 5.5)
    assert heard(bench.provider.query(asked)) == YES and bench.server.paid(asked.reference) == [MSAT]
    assert bench.proxy.elsewhere == 0


def field(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda row: {**row, name: value}


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: {key: value for key, value in row.items() if key != name}


def mark(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda row: {**row, "extra": {"kassa": {**row["extra"]["kassa"], **values}}}


def rewritten(**more: Any) -> Callable[[dict[str, Any]], Any]:
    """Another invoice; what the payment says of it stays."""

    def edit(row: dict[str, Any]) -> dict[str, Any]:
        read = invoice.read(row["bolt11"])
        parts = {"amount": read.amount, "payment_hash": read.payment_hash, "made": read.made, "expiry": read.expiry}
        return {**row, "bolt11": bolt11.write(**{**parts, **more})}  # type: ignore[arg-type]

    return edit


def both(amount: int) -> Callable[[dict[str, Any]], Any]:
    """Another amount, in the payment and in its invoice."""
    return lambda row: rewritten(amount=amount)({**row, "amount": amount})


EDITS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another amount": field("amount", MSAT + 1000),
    "a negative amount": field("amount", -MSAT),
    "an amount with a point": field("amount", float(MSAT)),
    "an amount in a text": field("amount", str(MSAT)),
    "an amount that is true": field("amount", True),
    "another order": field("external_id", "f" * 32),
    "no order": field("external_id", None),
    "another hash": field("payment_hash", "f" * 64),
    "a hash that is a number": field("payment_hash", 7),
    "a state nobody knows": field("status", "settled"),
    "a state that is a list": field("status", ["success"]),
    "no state": without("status"),
    "no invoice": without("bolt11"),
    "an invoice that is none": field("bolt11", "lnbc1"),
    "an invoice in another script": field("bolt11", "ｌｎｂｃ１"),
    "our amount changed": mark(amount=MSAT),
    "our amount is true": mark(amount=True),
    "another currency": mark(currency="USD"),
    "no mark of ours": field("extra", {}),
    "extra is a text": field("extra", "kassa"),
    "the invoice of another network": rewritten(network="tb"),
    "an invoice that is open for a day": rewritten(expiry=86_400),
    "an invoice of another amount": rewritten(amount=MSAT * 2),
    "an invoice over nothing": rewritten(amount=0),
    "another invoice hash": rewritten(payment_hash="e" * 64),
    "an invoice of yesterday": rewritten(made=1_700_000_000),
    "an invoice of tomorrow": rewritten(made=1_900_000_000),
    "less money": both(MSAT - 1000),
    "more money": both(MSAT + 1000),
    "a fraction of a satoshi": both(MSAT + 1),
    "a list": lambda row: [row],
    "a text": lambda row: "paid",
    "nothing": lambda row: None,
}


def in_page(edit: Callable[[dict[str, Any]], Any]) -> Callable[[Any], Any]:
    return lambda page: {**page, "data": [edit(row) for row in page["data"]]}


@pytest.mark.parametrize("what", EDITS)
def test_an_answer_about_something_else_is_a_fault(bench: Bench, what: str) -> None:
    edit = EDITS[what]
    asked = order()
    bench.proxy.change(edit, "POST")
    with pytest.raises(ProviderFault):
        run(bench.provider.pay(asked))
    said = run(bench.provider.pay(asked))
    seen = replace(asked, shown=said.shown, their_id=said.their_id)
    never = what in SAME_STATE
    for paid in (False, True):
        assert not paid or bench.server.pay(said.shown)
        for known in (seen, asked):
            bench.proxy.change(in_page(edit), "GET")
            with pytest.raises(ProviderFault):
                run(bench.provider.query(known))
            if not never:  # an undo does not ask what the invoice was to be, only whether it is paid
                bench.proxy.change(in_page(edit), "GET")
                with pytest.raises(ProviderFault):
                    run(bench.provider.undo(known))
    assert run(bench.provider.query(seen)).answer == YES


SAME_STATE = (
    "the invoice of another network", "an invoice that is open for a day", "an invoice of yesterday",
    "an invoice of tomorrow", "less money", "more money", "a fraction of a satoshi",
)  # fmt: skip


def test_an_invoice_that_the_server_calls_open_is_not_over_by_our_clock(bench: Bench) -> None:
    """Its clock may be behind, and then it can still be paid there."""
    asked = asked_of(bench)
    bench.pass_time(1000)
    for call in (bench.provider.query, bench.provider.undo):
        bench.proxy.change(in_page(field("status", "pending")))
        assert run(call(asked)).answer == WAITING
    assert run(bench.provider.undo(asked)).answer == YES


def test_a_list_that_does_not_hold_what_it_counts_is_a_fault(bench: Bench) -> None:
    asked = asked_of(bench)
    for edit in (field("total", 0), field("total", 2), field("total", "1"), field("data", None), field("data", [])):
        for call in (bench.provider.query, bench.provider.undo):
            bench.proxy.change(edit)
            with pytest.raises(ProviderFault):
                run(call(asked))


def test_another_wallets_key_finds_nothing_that_was_shown(bench: Bench) -> None:
    """A key that was replaced by another wallet's, and one that the server does not know."""
    asked = asked_of(bench)
    with pytest.raises(ProviderFault):
        run(bench.make(key=bench.server.customer_key).query(asked))
    strange = bench.make(key="0" * 32)
    for call in (strange.pay, strange.query, strange.undo):
        said = run(call(asked))
        assert (said.answer, said.their_code, said.words.en) == (UNKNOWN, "404", "Lightning server: key refused")


def test_a_server_that_wants_to_be_asked_less_often_is(bench: Bench) -> None:
    asked = asked_of(bench)
    bench.proxy.set("too often")
    said = run(bench.provider.query(asked))
    assert (said.answer, said.again) == (UNKNOWN, 30.0)


@pytest.mark.parametrize("status, said", [("failed", NO), ("pending", UNKNOWN), ("", UNKNOWN)])
def test_only_an_invoice_that_was_certainly_not_made_is_refused(
    bench: Bench, status: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(self: line.Line, method: str, path: str, query: Any = None, body: Any = None) -> line.Reply:
        if method == "POST":
            return line.Reply(520, {"detail": "backend", "status": status} if status else {"detail": "backend"})
        return line.Reply(200, {"data": [], "total": 0})

    monkeypatch.setattr(line.Line, "ask", ask)
    assert heard(bench.provider.pay(order())) == said


def test_nobody_answers_at_all(bench: Bench) -> None:
    for url in ("http://127.0.0.1:1", "http://127.0.0.1:99999", "http://[::1]:1"):
        with pytest.raises(ProviderFault):
            run(bench.make(url=url).query(order()))


def test_only_a_certificate_that_is_trusted_is_talked_to(bench: Bench, tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        pki.ensure(tmp_path / name)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "ours" / "host.pem", tmp_path / "ours" / "host.key.pem")
    trusted, other = (
        ssl.create_default_context(cadata=(tmp_path / name / "ca.pem").read_text()) for name in ("ours", "theirs")
    )
    with FaultyProxy(bench.server.url, served) as proxy:
        url = proxy.url.replace("127.0.0.1", "localhost")
        for trust in (other, ssl.create_default_context()):
            with pytest.raises(ProviderFault):
                run(bench.make(url=url, trust=trust).pay(order()))
        assert proxy.passed == []
        trusted.check_hostname = False  # the host's certificate is for another name
        assert run(bench.make(url=url, trust=trusted).pay(order())).answer == WAITING


def test_no_key_is_seen_anywhere(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked = asked_of(bench)
    seen = [repr(bench.provider), str(vars(bench.provider)), repr(asked)]
    for mood in MOODS[:2] + BAD_ANSWERS + tuple(SPOILT):
        bench.proxy.set(mood if mood != "endless" else "html")
        try:
            seen.append(repr(run(bench.provider.query(asked))))
        except ProviderFault as fault:
            seen += [str(fault), repr(fault.__cause__), repr(fault.__context__)]
    assert len(seen) > 10 and bench.server.shop_key not in "\n".join([*seen, caplog.text])
