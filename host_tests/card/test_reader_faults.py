# SPDX-License-Identifier: MIT
"""Reader faults and cancelled taps: the driver never takes noise for a payment, and always recovers."""

import asyncio
import random

import pytest
import ticks

from host_tests.harness.card.rig import Rig
from kassa.errors import ReaderFault
from tools.cards.behaviours import Watched
from tools.cards.catalogue import make
from tools.cards.visa import VisaCard

ONLINE = 1


@pytest.mark.parametrize("fault", ["silent", "garbage"])
def test_a_silent_or_noisy_chip_is_a_fault_and_may_recover(rig: Rig, fault: str) -> None:
    rig.field.place(make("jade"))
    for _ in range(2):
        setattr(rig.link.faults, fault, random.Random(5) if fault == "garbage" else True)
        started = ticks.now_ms
        with pytest.raises(ReaderFault):
            rig.tap()
        assert ticks.now_ms - started < 1500
        setattr(rig.link.faults, fault, None)
        assert rig.tap().kind == ONLINE


@pytest.mark.parametrize("seed", range(20))
def test_noise_in_the_middle_of_a_tap_never_makes_a_payment(rig: Rig, seed: int) -> None:
    class Cutting(Watched):
        def transmit(self, capdu: bytes) -> bytes:
            if len(self.commands) == seed % 4:
                rig.link.faults.garbage = random.Random(seed)
            return super().transmit(capdu)

    rig.field.place(Cutting(make("jade")))
    with pytest.raises(ReaderFault):
        rig.tap()
    assert not any(rig.arena._data)


@pytest.mark.parametrize("fault", ["torn", "checksum"])
@pytest.mark.parametrize("skip", range(12))
def test_one_corrupt_reply_is_requested_again(rig: Rig, fault: str, skip: int) -> None:
    card = make("lotus")
    assert isinstance(card, VisaCard)
    rig.field.place(card)
    spoil, left = rig.link.faults.spoil, [skip]

    def later(reply: bytes) -> bytes:
        left[0] -= 1
        if left[0] == -1:
            setattr(rig.link.faults, fault, 1)
        return spoil(reply)

    rig.link.faults.spoil = later  # type: ignore[method-assign]
    assert rig.tap().kind == ONLINE
    assert card.atc == 1
    assert left[0] < 0


def test_a_reader_fault_after_the_last_answer_does_not_undo_the_payment(rig: Rig) -> None:
    class Last(Watched):
        def transmit(self, capdu: bytes) -> bytes:
            answer = super().transmit(capdu)
            if len(self.commands) == 4:
                rig.chip._COMMANDS = {**rig.chip._COMMANDS, 0x32: lambda *_: b"\x7f"}  # type: ignore[misc]
            return answer

    rig.field.place(Last(make("jade")))
    assert rig.tap().kind == ONLINE


@pytest.mark.parametrize("fault", ["torn", "checksum"])
def test_permanently_corrupt_replies_are_a_fault(rig: Rig, fault: str) -> None:
    rig.field.place(make("jade"))
    setattr(rig.link.faults, fault, 10_000)
    with pytest.raises(ReaderFault):
        rig.tap()


def test_another_chip_is_not_accepted_as_a_reader(rig: Rig) -> None:
    rig.chip._COMMANDS = {**rig.chip._COMMANDS, 0x02: lambda *_: b"\x33\x02\x01\x07"}  # type: ignore[misc]
    with pytest.raises(ReaderFault, match="no PN532"):
        rig.tap()


@pytest.mark.parametrize("steps", range(1, 60, 7))
def test_the_reader_works_after_a_tap_was_cancelled_at_any_step(rig: Rig, steps: int) -> None:
    """As when the cashier presses the red key."""

    async def work() -> None:
        from kassa.card import tap
        from kassa.card.terms import Terms

        await rig.reader.start()
        terms = Terms(1, 156, 156, b"\x26\x11\x23", b"\x00\x00\x00\x01")
        task = asyncio.ensure_future(tap.read(rig.reader, terms, rig.arena, 1000))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            assert not any(rig.arena._data)
        assert (await tap.read(rig.reader, terms, rig.arena, 1000)).kind == ONLINE

    rig.field.place(make("jade"))
    rig.run(work())
