# SPDX-License-Identifier: MIT
"""The answer parser turns bytes from the network into an answer, or raises WireError, and nothing else."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, seed, settings
from hypothesis import strategies as st

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.uplink.till import Till, TinyHost, track

ROOT = Path(__file__).resolve().parent.parent.parent
for folder in ("firmware", "host_tests/harness/shims"):
    if str(ROOT / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / folder))

from kassa.errors import WireError  # noqa: E402  needs the paths above
from kassa.uplink import answers  # noqa: E402
from kassa.uplink.inbox import Inbox  # noqa: E402
from kassa.uplink.iso8583 import Answer  # noqa: E402

ELEMENTS = (3, 4, 11, 12, 13, 25, 37, 38, 39, 41, 42, 48, 49, 53, 60, 62, 63, 64)
PREFIX = {48: 2, 53: 1, 60: 2, 62: 2, 63: 2}
FIXED = {3: 3, 4: 6, 11: 3, 12: 3, 13: 2, 25: 1, 37: 12, 38: 6, 39: 2, 41: 8, 42: 15, 49: 3, 64: 8}


def frame(elements: list[tuple[int, bytes]], bitmap: int | None = None) -> bytes:
    """A frame with these elements, each with the given bytes, valid or not."""
    bits = sum(1 << (64 - number) for number, _ in elements) if bitmap is None else bitmap
    body = b"".join(data for _, data in elements)
    rest = bytes.fromhex("6000000003 613100000100 0210") + bits.to_bytes(8, "big") + body
    return len(rest).to_bytes(2, "big") + rest


@st.composite
def nearly_answers(draw: st.DrawFn) -> bytes:
    """Frames that are nearly right: wrong lengths, invalid digits, elements that do not belong."""
    chosen = sorted(draw(st.sets(st.sampled_from([*ELEMENTS, 1, 2, 35, 55]), max_size=18)))
    elements = []
    for number in chosen:
        if number in PREFIX and draw(st.booleans()):
            size = draw(st.integers(0, 40))
            length = bytes.fromhex(f"{size * (2 if number in (48, 60) else 1):0{2 * PREFIX[number]}d}")
            elements.append((number, length + draw(st.binary(min_size=size, max_size=size))))
        elif number in FIXED and draw(st.booleans()):
            elements.append((number, draw(st.binary(min_size=FIXED[number], max_size=FIXED[number]))))
        else:
            elements.append((number, draw(st.binary(max_size=30))))
    return frame(elements, draw(st.none() | st.integers(0, 2**64 - 1)))


def read(data: bytes) -> Answer | None:
    """Parse a frame and read every element; None if it is refused."""
    try:
        answer = Answer(memoryview(data))
    except WireError:
        return None
    places = [(number, bytes(answer.get(number))) for number in range(1, 65)]
    assert sum(len(value) for _, value in places) <= len(data)
    assert answer.check(bytearray(16)) in (True, False)
    return answer


@seed(20260817)
@settings(max_examples=800, deadline=None, database=None)
@given(st.one_of(nearly_answers(), st.binary(max_size=600)))
@example(b"")
@example(b"\x00\x15" + bytes(21))
def test_any_bytes_are_parsed_or_raise_wire_error(data: bytes) -> None:
    read(data)


@seed(20260818)
@settings(max_examples=250, deadline=None, database=None)
@given(st.lists(st.one_of(nearly_answers(), st.binary(max_size=700)), max_size=5), st.integers(1, 600))
def test_the_inbox_returns_the_same_frames_however_the_stream_is_split(pieces: list[bytes], step: int) -> None:
    """No frame is longer than an answer may be, and WireError is raised for every split or for none."""
    stream = b"".join(pieces)
    results = []
    for size in (step, len(stream) or 1):
        inbox, found, ended = Inbox(), [], False
        try:
            for at in range(0, len(stream), size):
                found += [bytes(part) for part in inbox.frames(memoryview(stream)[at : at + size])]
        except WireError:
            ended = True
        assert all(2 <= len(part) <= 512 and int.from_bytes(part[:2], "big") == len(part) - 2 for part in found)
        results.append((found, ended))
    assert results[0][1] == results[1][1]
    if not results[0][1]:
        assert results[0] == results[1]


def test_a_good_answer_is_read_and_a_longer_or_shorter_one_is_refused() -> None:
    elements = [(3, bytes(3)), (11, b"\x00\x00\x42"), (39, b"00"), (63, b"\x00\x19" + bytes(19)), (64, bytes(8))]
    good = frame(elements)
    answer = read(good)
    assert answer is not None and bytes(answer.get(39)) == b"00" and len(answer.get(63)) == 19
    for size in range(len(good)):
        assert read(good[:size]) is None
    assert read(good + b"\0") is None


def test_changed_answers_inside_micropython_are_dropped_or_end_the_connection(
    till: Till, host: TinyHost, inside: Inside
) -> None:
    """Real answers, changed or cut after the TPDU: the courier drops them or raises WireError, and accepts none."""
    dice = random.Random(20260819)
    till.sell(1000, track(1))
    host.connect()
    (request,) = host.pull()
    good = host.answer(request, "51", "text for the cashier")
    counts = {"dropped": 0, "WireError": 0}
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(dice.randrange(1, 4)):
            bad[dice.randrange(7, len(bad))] = dice.randrange(256)
        if dice.randrange(3) == 0:
            del bad[dice.randrange(7, len(bad)) :]
            bad[:2] = (len(bad) - 2).to_bytes(2, "big")
        if bad == good:
            continue
        counts[inside("till", "try_answer", bytes(bad).hex())] += 1
        assert till.state()["count"] == 1
    print(f"seed 20260819: {counts}")
    assert min(counts.values()) > 20


TABLE = """
00 11 A2 A4 A5 A6 | yes yes yes yes
94                | yes yes retry retry
12 25             | no no yes no
09 68 90 91 92 96 98 99 A0 A7 | reverse retry retry retry
97                | no retry retry stranger
05 10 51 61 ZZ    | no no retry no
"""
GROUPS = (answers.ONLINE, answers.DEFERRED, answers.REVERSAL, answers.MANAGEMENT)
WORDS = {
    "yes": answers.YES,
    "no": answers.NO,
    "retry": answers.RETRY,
    "reverse": answers.REVERSE,
    "stranger": answers.UNKNOWN_TERMINAL,
}


@pytest.mark.parametrize("line", TABLE.strip().split("\n"))
def test_an_answer_code_has_the_documented_meaning(line: str) -> None:
    """As in the table of docs/wire.md: online, deferred, reversal, management."""
    codes, meanings = (part.split() for part in line.split("|"))
    for code in codes:
        found = [answers.meaning(code.encode(), group) for group in GROUPS]
        assert found == [WORDS[word] for word in meanings], code
