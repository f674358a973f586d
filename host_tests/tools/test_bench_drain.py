# SPDX-License-Identifier: MIT
"""The drain's figures: what is counted is counted right, and the budgets of counts hold. Nothing is said of time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.bench import drain, figures, instructions, model, tls

COUNTED = ("drain_round_trips_per_1000", "drain_handshakes")
FEW = 20


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """A drain of 1000 payments."""
    return drain.counts(tmp_path_factory.mktemp("drain"))


@pytest.fixture
def counted() -> None:
    if not instructions.available():
        pytest.skip("no 32-bit MicroPython here (MICROPYTHON32), or no valgrind")


@pytest.mark.parametrize("name", COUNTED)
def test_the_budget_holds(measured: dict[str, float], name: str) -> None:
    assert figures.holds(name, measured[name]), f"{name} is {measured[name]}, budget {figures.budget(name)}"


def test_one_by_one_waits_for_every_payment(tmp_path: Path) -> None:
    """The control: each answer is waited for, and the handshake's."""
    assert drain.counts(tmp_path, FEW, one=True)["drain_round_trips_per_1000"] == (FEW + 1) * 1000 / FEW


def test_a_window_waits_once(tmp_path: Path) -> None:
    assert drain.counts(tmp_path, FEW)["drain_round_trips_per_1000"] == 2 * 1000 / FEW


def test_tls_adds_to_the_frames(measured: dict[str, float]) -> None:
    """A request holds a sealed record of 248 bytes, and its answer is no longer than that."""
    assert 2 * 248 < measured["wire_bytes_per_settled"] < measured["wire_tls_bytes_per_settled"] < 3 * 248


def test_one_handshake_must_be_exactly_one() -> None:
    assert figures.budget("drain_handshakes") == "1"
    assert [figures.holds("drain_handshakes", count) for count in (0, 1, 2)] == [False, True, False]


def test_the_time_has_a_budget_that_is_told() -> None:
    assert figures.budget("drain_per_s_50ms") == ">= 600" and figures.unit("drain_per_s_50ms") == "payments/s"


@pytest.mark.usefixtures("counted")
def test_the_courier_is_counted(tmp_path: Path) -> None:
    """What is sent by it is settled, or `steps` raises."""
    told = drain.steps(tmp_path)
    assert told["drain_instructions_per_payment"] > 100_000
    assert told["drain_garbage_bytes_per_payment"] > 0


@pytest.mark.usefixtures("counted")
def test_the_handshake_is_what_holds_the_processor() -> None:
    told = tls.hold()
    assert told["key_hold_ms_tls"] == model.processor_ms(told["key_hold_instructions_tls"])
    assert (
        told["tls_handshake_instructions"] / 2 < told["key_hold_instructions_tls"] < told["tls_handshake_instructions"]
    )
