# SPDX-License-Identifier: MIT
"""Every transaction under every failure: it is done once or not at all, the same here and in the acquirer's books."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from host_tests.harness.acquirer.bench import MID, TID, Bench
from tools.host.acquirers.card.acquirer import CardAcquirer
from tools.host.errors import ProviderFault
from tools.host.outside.issuer import Advice, Payment
from tools.host.store import ledger
from tools.host.wire import answers

# What is sent (60.1), and what the host does without a final answer: it is repeated, or reversed.
ASKED = {
    "sale": ("22", False, "reversed"),
    "deferred sale": ("22", False, "repeated"),
    "sale approved by the card": ("22", True, "repeated"),
    "refund": ("25", False, "repeated"),
    "balance": ("01", False, "repeated"),
    "pre-authorisation": ("10", False, "reversed"),
    "voice sale": ("30", False, "repeated"),
}
TOLD = {"void": ("23", 1250), "tip": ("34", 1400)}
KINDS = [*ASKED, *TOLD, "reversal"]
SHORT = 150  # ms: how long the adapter waits where the acquirer does not answer
NO_ANSWER = ("deaf", "silent", "late", "other", "half", "94")
AT_ONCE = ("cut before", "cut after", "twice", "amount", "terminal", "mac", "garbage", "length", "96", "96 after")
KILLED = ("killed before it was sent", "killed before it was done", "killed before the answer")
AWAY = ("not reached", "hangs")
FAULTS = ["nothing", *NO_ANSWER, *AT_ONCE, *KILLED, *AWAY]
WELL = ("nothing", "twice")  # the answer comes the first time
_MOST = 500  # attempts

Attempt = Callable[[CardAcquirer], Awaitable[bool]]  # whether it is over


class Case:
    """One cell: the payment or advice, and the attempts that the host makes."""

    def __init__(self, bench: Bench, kind: str) -> None:
        self.bench, self.kind = bench, kind
        self.about: Payment | None = None
        self.payment = bench.payment(1250, *ASKED[kind][:2]) if kind in ASKED else None
        self.advice: Advice | None = None
        self.on = "request" if kind in ASKED else "reversal" if kind == "reversal" else "advice"

    async def prepare(self, acquirer: CardAcquirer) -> None:
        """The sale that it is about."""
        if self.kind not in ASKED:
            self.about = self.bench.payment(1250)
            assert (await acquirer.decide(self.about)).code == "00"
            if self.kind in TOLD:
                type_, amount = TOLD[self.kind]
                self.advice = self.bench.advice(self.about, amount, type_)

    @property
    def uid(self) -> bytes:
        one = self.payment or self.advice or self.about
        assert one is not None
        return one.uid

    async def first(self, acquirer: CardAcquirer) -> bool:
        """The first attempt, and what repeats it. Returns whether it is over."""
        try:
            if self.payment:
                return (await acquirer.decide(self.payment)).code not in answers.NOT_FINAL
            if self.advice:
                await acquirer.tell(self.advice)
            else:
                await acquirer.undo(TID, self.uid)
            return True
        except ProviderFault:
            return False

    async def then(self, acquirer: CardAcquirer) -> bool:
        """What the host does when there was no final answer."""
        if self.kind in ASKED and ASKED[self.kind][2] == "reversed":
            try:
                await acquirer.undo(TID, self.uid)
                return True
            except ProviderFault:
                return False
        return await self.first(acquirer)


def expected(bench: Bench, kind: str, fault: str) -> str:
    """The state in which it ends."""
    if kind == "reversal":
        return "UNDONE"
    if kind not in ASKED:
        return "YES"
    type_, proven, then = ASKED[kind]
    if then == "reversed":
        return "YES" if fault in WELL else "UNDONE"
    form = bench.acquirer.dialect.transaction(type_, proven)
    return "YES" if form and form.is_advice or fault != "94" else "UNDONE"  # a duplicate advice was accepted before


async def play(bench: Bench, kind: str, fault: str) -> None:
    """One cell. Asserts its end."""
    case = Case(bench, kind)
    calm = bench.new()
    await case.prepare(calm)
    await calm.close()
    short = fault in NO_ANSWER
    acquirer = bench.new(
        **{"answer_ms": SHORT} if short else {}, **{"connect_ms": 2 * SHORT} if fault == "hangs" else {}
    )
    over = await strike(bench, case, acquirer, fault)
    if fault in KILLED:
        await acquirer.close()
        acquirer = bench.new()
    for _ in range(_MOST):
        if over:
            break
        over = await case.then(acquirer)
        await asyncio.sleep(0 if over else 0.02)
    assert over, "no end"
    bench.sim.release()
    bench.sim.calm()
    await acquirer.close()
    assert bench.row(case.uid).state == expected(bench, kind, fault)
    assert bench.agrees(case.uid)
    assert bench.ours() == bench.sim.books.owed()


async def strike(bench: Bench, case: Case, acquirer: CardAcquirer, fault: str) -> bool:
    """The first attempt, with the fault in it. Returns whether it is over."""
    sim, kind = bench.sim, case.on
    if fault in KILLED:
        if fault == KILLED[0]:

            async def never(*_: object) -> dict[str, str]:
                await asyncio.Event().wait()
                raise AssertionError

            acquirer.link.ask = never  # type: ignore[method-assign]
        else:
            sim.plan("deaf" if fault == KILLED[1] else "silent", kind)
        heard = sim.heard[kind]
        task = asyncio.create_task(case.first(acquirer))
        if fault == KILLED[0]:
            while bench.row(case.uid) is None or case.kind == "reversal" and not bench.row(case.uid).undo_sent:
                await asyncio.sleep(0.001)
        else:
            await asyncio.to_thread(sim.wait, lambda: sim.heard[kind] > heard)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return False
    if fault == "not reached":
        sim.stop()
        over = await case.first(acquirer)
        sim.start()
        return over
    if fault == "hangs":
        sim.hangs = True
        over = await case.first(acquirer)
        sim.hangs = False
        return over
    if fault == "94":
        sim.plan("silent", kind)
        sim.plan("94", kind)
    elif fault != "nothing":
        sim.plan(fault, kind)
    return await case.first(acquirer)


@pytest.fixture(scope="module", params=["cup-1987", "iso-1993"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    pragmas = tuple(each.replace("=FULL", "=OFF") for each in ledger._PRAGMAS)  # no power is cut here
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "_PRAGMAS", pragmas)
        bench = Bench(tmp_path_factory.mktemp("acquirer"), request.param)
        yield bench
        bench.close()


@pytest.mark.parametrize("kind", KINDS)
def test_each_transaction_under_each_failure_ends_once_or_not_at_all(
    bench: Bench, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = [fault for fault in FAULTS if fault != "mac" or bench.sim.wire.has_mac]

    async def all_of_them() -> int:
        for fault in faults:
            try:
                await play(bench, kind, fault)
            except Exception as fault_:
                raise AssertionError(f"{kind}, {fault}: {fault_!r}") from fault_
        return len(faults)

    ran = asyncio.run(all_of_them())
    assert ran == len(faults) >= len(FAULTS) - 1
    with capsys.disabled():
        print(f"\n{bench.sim.dialect_name}, {kind}: {ran} cells", end="")


def test_what_the_cells_are_about() -> None:
    assert (len(KINDS), len(FAULTS)) == (10, 22) and TID != MID
