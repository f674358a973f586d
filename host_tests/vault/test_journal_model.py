# SPDX-License-Identifier: MIT
"""Random lives of a till, with power cuts, against an ideal journal. A failure shrinks to a command that replays it.

KASSA_MODEL_EXAMPLES=n runs n cases, different ones each time.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from host_tests.cuts.judge import Violation
from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.against_model import Bench, Case, line, main

LONG = int(os.environ.get("KASSA_MODEL_EXAMPLES", "0"))
EXAMPLES = 50
OPERATIONS = 28  # power may be cut at any of the first 28 operations of a life

_amounts = st.integers(1, 9999)
_answers = st.lists(st.sampled_from([1, 1, 2, 3]), min_size=1, max_size=4)
_drain = st.tuples(st.just("drain"), _answers).map(list)
_pay = st.tuples(st.just("pay"), _amounts).map(list)
_long = st.tuples(st.just("pay"), _amounts, st.just(True)).map(list)
_intent = st.tuples(st.just("intent"), _amounts).map(list)
_decision = st.sampled_from([["final", "yes"], ["final", "no"], ["reversing"], ["defer"], ["void"]])
_single = st.one_of(_pay, _pay, _long, _intent, _drain, st.sampled_from([["idle"], ["heard", 1], ["heard", 9]])).map(
    lambda one: [one]
)
_several = st.one_of(
    st.tuples(_intent, _decision).map(list),
    st.sampled_from([[["pays", 4]], [["pays", 15]], [["reversed"]], [["closing"]]]),
    st.sampled_from([[["drain", [1]], ["closing"]], [["drain", [1]], ["reversed"], ["closing"], ["close"]]]),
)
_steps = st.lists(st.one_of(_single, _several), max_size=8).map(
    lambda groups: [step for group in groups for step in group]
)
_tears = st.one_of(
    st.sampled_from(["none", "all", "half", "random:1", "random:2"]),
    st.integers(1, 9).map(lambda seed: f"unstable:{seed}"),
    st.integers(1, 15).map(lambda cells: f"prefix:{16 * cells}"),
)
_whole = st.tuples(_steps, st.just(0), st.just("")).map(list)
_cut = st.tuples(_steps, st.integers(1, OPERATIONS), _tears).map(list)
CASES = st.tuples(st.sampled_from([0, 1, 5, 6]), st.lists(st.one_of(_whole, _cut, _cut), max_size=6)).map(list)
SMALL = st.tuples(st.just(0), st.lists(_cut, max_size=1)).map(list)

# Failures found by long runs, since fixed.
FOUND: list[Case] = [
    # a record that one boot rejected read as valid later, and was sent instead of the record that had reused its number
    [5, [[[["pay", 1], ["pay", 2]], 14, "unstable:1"], [[["pay", 3], ["idle"]], 0, ""]]],
]


def bounded(examples: int) -> settings:
    return settings(
        max_examples=LONG or examples, derandomize=not LONG, database=None, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def test_the_journal_behaves_like_the_model(inside: Inside, tmp_path: Path) -> None:
    """After any steps and any power cut, boot finds contents that the model allows, and they stay the same."""
    bench = Bench(inside, tmp_path / "chip.bin")

    @bounded(EXAMPLES)
    @given(CASES)
    def play(case: Case) -> None:
        bench.play(case)

    play()


@pytest.mark.parametrize("case", FOUND, ids=json.dumps)
def test_a_fixed_failure_does_not_return(inside: Inside, tmp_path: Path, case: Case) -> None:
    Bench(inside, tmp_path / "chip.bin").play(case)


def breaks(bench: Bench) -> Callable[[Case], bool]:
    """Whether a case breaks a promise."""

    def broken(case: Case) -> bool:
        try:
            bench.play(case)
        except Violation:
            return True
        return False

    return broken


def test_the_control_with_an_early_receipt_is_found(inside: Inside, tmp_path: Path) -> None:
    """The receipt precedes the durable record. Found, shrunk to a command, and reproduced by that command."""
    wrong = Bench(inside, tmp_path / "wrong.bin", "early")
    small = find(SMALL, breaks(wrong), settings=settings(bounded(200), phases=[Phase.generate, Phase.shrink]))
    module, said = shlex.split(line(small))[2:]
    assert module == "host_tests.harness.vault.against_model"
    with pytest.raises(Violation, match="lost or changed"):
        main([said, "early"])
    assert main([said]) == 0


def test_the_control_that_ignores_tags_is_found(inside: Inside, tmp_path: Path) -> None:
    """A record with only 64 bytes written. The case was found and shrunk as above, which takes a while."""
    torn = [1, [[[["pay", 1]], 13, "prefix:64"]]]
    Bench(inside, tmp_path / "right.bin").play(torn)
    with pytest.raises(Violation):
        Bench(inside, tmp_path / "wrong.bin", "no tags").play(torn)
