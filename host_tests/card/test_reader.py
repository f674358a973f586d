# SPDX-License-Identifier: MIT
"""The shipped driver and the tap on the virtual chip: lost contact, several cards, answer sizes, cost of a tap."""

import random

import pytest
import ticks

from host_tests.harness.card.rig import Rig
from kassa.errors import CardError, CardGone
from tools.cards.behaviours import Watched
from tools.cards.card import SW_OK, Card
from tools.cards.card import CardGone as Gone
from tools.cards.catalogue import GOOD, make
from tools.cards.issuer_keys import key_for
from tools.cards.verify import check_cryptogram, parse
from tools.cards.visa import VisaCard
from tools.host.keys.card_number import pan_of

ONLINE, TRY_AGAIN, END = 1, 4, 6
NO_CARD, ONE_CARD, AGAIN = 0x15, 0x19, 0x21


def left_over(rig: Rig) -> int:
    """The number of non-zero bytes in the driver's frame and in the arena, except in the body and the mask."""
    arena = rig.arena
    parts = (rig.reader._frame, arena.command, arena.answer, arena.candidates, arena.store)
    return sum(1 for part in parts for byte in part if byte)


class Echo(Card):
    def transmit(self, capdu: bytes) -> bytes:
        return capdu + SW_OK


@pytest.mark.parametrize("name", GOOD)
def test_a_valid_card_is_read_through_the_chip(rig: Rig, name: str) -> None:
    rig.field.place(make(name))
    assert rig.tap().kind == ONLINE
    tags = parse(bytes(rig.arena.body))
    key = key_for(pan_of(tags))
    assert key is not None and check_cryptogram(tags, key)
    assert not rig.chip.radio.on and not rig.chip.radio.targets


def test_no_trace_of_the_card_is_left_in_driver_or_arena(rig: Rig) -> None:
    rig.field.place(make("lotus"))
    assert rig.tap().kind == ONLINE
    assert left_over(rig) <= 9  # the last frame sent is "field off"
    assert not any(byte for byte in rig.reader._frame[12:])
    rig.arena.wipe()
    assert not any(rig.arena._data)


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_card_removed_at_any_apdu_must_be_presented_again(rig: Rig, at: int) -> None:
    card = make(f"torn{at}")
    rig.field.place(card)
    outcome = rig.tap()
    assert (outcome.kind, outcome.message) == (TRY_AGAIN, AGAIN)
    assert not any(rig.arena._data)
    rig.field.remove()
    rig.field.place(make("jade"))
    assert rig.tap().kind == ONLINE  # the reader is ready for the next card


def test_a_tap_has_exactly_the_four_apdus_tested_above(rig: Rig) -> None:
    """So the parameters above cover every APDU of the tap."""
    rig.field.place(make("torn4"))
    rig.tap()
    count = Watched(make("jade"))
    rig.field.remove()
    rig.field.place(count)
    assert rig.tap().kind == ONLINE
    assert len(count.commands) == 4


class Wobbly(Watched):
    """A card that leaves the field instead of answering APDU number `lose`, and comes back at once."""

    def __init__(self, card: Card, rig: Rig, lose: int) -> None:
        super().__init__(card)
        self.rig = rig
        self.lose = lose

    def transmit(self, capdu: bytes) -> bytes:
        if len(self.commands) + 1 == self.lose:
            self.commands.append(capdu)
            self.rig.field.remove(self)
            self.rig.field.place(self)
            raise Gone
        return super().transmit(capdu)


@pytest.mark.parametrize("lose", [1, 2, 3, 4])
def test_a_tap_resumes_after_lost_contact_only_before_get_processing_options(rig: Rig, lose: int) -> None:
    card = make("jade")
    assert isinstance(card, VisaCard)
    wobbly = Wobbly(card, rig, lose)
    rig.field.place(wobbly)
    outcome = rig.tap()
    options = sum(command[1] == 0xA8 for command in wobbly.commands)
    if lose < 3:
        assert (outcome.kind, options, card.atc) == (ONLINE, 1, 1)
    else:
        assert (outcome.kind, outcome.message, options) == (TRY_AGAIN, AGAIN, 1)


def test_no_card_a_key_fob_and_two_cards_are_reported(rig: Rig) -> None:
    started = ticks.now_ms
    outcome = rig.tap(timeout_ms=2000)
    assert (outcome.kind, outcome.message) == (END, NO_CARD)
    assert 2000 <= ticks.now_ms - started < 2500
    rig.field.place(make("fob"))
    assert rig.tap(timeout_ms=300).message == NO_CARD
    rig.field.place(make("jade"))
    outcome = rig.tap()
    assert (outcome.kind, outcome.message) == (TRY_AGAIN, ONE_CARD)
    rig.field.remove()
    rig.field.place(make("jade"))
    assert rig.tap().kind == ONLINE


@pytest.mark.parametrize("names", [("jade", "amber"), ("jade", "type B"), ("type B", "jade"), ("fob", "type B")])
def test_two_cards_of_any_types_are_refused_and_no_counter_increases(rig: Rig, names: tuple[str, str]) -> None:
    """EMV Book D, collision detection: both types are polled before a card is read."""
    type_b = next(name for name in GOOD if make(name).technology == "B")
    cards = [make(type_b if name == "type B" else name) for name in names]
    for card in cards:
        rig.field.place(card)
    outcome = rig.tap()
    assert (outcome.kind, outcome.message) == (TRY_AGAIN, ONE_CARD)
    assert [card.atc for card in cards if isinstance(card, VisaCard)] == [0] * (2 - (names[0] == "fob"))
    rig.field.remove(cards[0])
    assert rig.tap().kind == ONLINE


@pytest.mark.parametrize("name", ["noise", "oversize", "foreign", "unusable"])
def test_unusable_cards_end_the_tap(rig: Rig, name: str) -> None:
    rig.field.place(make(name))
    assert rig.tap().kind == END
    assert not any(rig.arena._data)


def test_the_reader_waits_for_a_slow_card_but_not_without_limit(rig: Rig) -> None:
    rig.field.place(make("slow"))
    assert rig.tap().kind == ONLINE
    rig.field.remove()
    endless = make("slow")
    endless.delay_ms = 60_000
    rig.field.place(endless)
    started = ticks.now_ms
    assert rig.tap().kind == TRY_AGAIN
    assert ticks.now_ms - started < 12_000


def test_answers_of_every_length_are_received(rig: Rig) -> None:
    async def work() -> None:
        await rig.reader.start()
        assert await rig.reader.find(100) == 1
        into = bytearray(258)
        for size in (1, 5, 100, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256):
            data = random.Random(size).randbytes(size)
            assert await rig.reader.exchange(memoryview(data), into) == size + 2
            assert into[: size + 2] == data + SW_OK
            assert not any(rig.reader._frame)

    rig.field.place(Echo())
    rig.run(work())


@pytest.mark.parametrize("size", [257, 300, 600])
def test_an_answer_too_long_for_a_short_apdu_is_refused(rig: Rig, size: int) -> None:
    class Long(Card):
        def transmit(self, capdu: bytes) -> bytes:
            return bytes(size) + SW_OK

    async def work() -> None:
        await rig.reader.start()
        assert await rig.reader.find(100) == 1
        with pytest.raises(CardError):
            await rig.reader.exchange(memoryview(b"\x00\xb2\x01\x0c\x00"), bytearray(258))

    rig.field.place(Long())
    rig.run(work())


def test_gone_waits_for_the_card_to_leave(rig: Rig) -> None:
    async def work() -> None:
        await rig.reader.start()
        assert await rig.reader.find(100) == 1
        assert not await rig.reader.wait_removed(200)
        rig.field.remove()
        assert await rig.reader.wait_removed(200)
        with pytest.raises(CardGone):
            await rig.reader.exchange(memoryview(b"\x00\xa4\x04\x00\x00"), bytearray(258))

    rig.field.place(make("jade"))
    rig.run(work())


def test_a_tap_stays_within_its_apdu_and_byte_limits(rig: Rig) -> None:
    """Counts APDUs and bytes over the air for each valid card; `make bench` prints the same table."""
    for name in GOOD:
        card = Watched(make(name))
        rig.field.remove()
        rig.field.place(card)
        assert rig.tap().kind == ONLINE
        apdus, size = len(card.commands), sum(map(len, card.commands)) + sum(map(len, card.answers))
        print(f"{name}: {apdus} APDUs, {size} bytes")
        assert 3 <= apdus <= 7 and size < (1200 if apdus > 5 else 700)


def test_a_command_whose_acknowledgement_is_lost_is_not_sent_twice(rig: Rig) -> None:
    """The card may have received it. A second GET PROCESSING OPTIONS would increase the card's counter again."""
    card = Watched(make("jade"))
    rig.field.place(card)
    ready, lost = rig.reader._ready, [False]

    async def late(timeout_ms: int) -> bool:
        there = await ready(timeout_ms)
        if timeout_ms == 50 and not lost[0] and bytes(rig.reader._frame).find(b"\x80\xa8") > 0:
            lost[0] = True
            return False
        return there

    rig.reader._ready = late
    assert rig.tap().kind == TRY_AGAIN
    assert lost[0] and [command[1] for command in card.commands].count(0xA8) == 1
