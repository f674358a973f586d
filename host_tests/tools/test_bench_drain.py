# SPDX-License-Identifier: MIT
"""The bench figures of the drain: they are counted correctly and keep their budgets. Time is not tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.harness.long_runs import long_only
from tools.bench import drain, figures, instructions, model, tls

COUNTED = ("drain_round_trips_per_1000", "drain_handshakes")
FEW = 20


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The figures of a drain of 1000 payments."""
    return drain.counts(tmp_path_factory.mktemp("drain"))


@pytest.fixture
def counted() -> None:
    if not instructions.available():
        pytest.skip("no 32-bit MicroPython here (MICROPYTHON32), or no valgrind")


@pytest.mark.parametrize("name", COUNTED)
def test_a_figure_is_within_its_budget(measured: dict[str, float], name: str) -> None:
    assert figures.holds(name, measured[name]), f"{name} is {measured[name]}, budget {figures.budget(name)}"


def test_a_drain_one_by_one_waits_for_every_payment(tmp_path: Path) -> None:
    """Control test: one round trip for each answer, and one for the handshake."""
    assert drain.counts(tmp_path, FEW, one=True)["drain_round_trips_per_1000"] == (FEW + 1) * 1000 / FEW


def test_a_window_takes_one_round_trip(tmp_path: Path) -> None:
    assert drain.counts(tmp_path, FEW)["drain_round_trips_per_1000"] == 2 * 1000 / FEW


def test_tls_adds_bytes_to_the_frames(measured: dict[str, float]) -> None:
    """A request holds a sealed record of 248 bytes. Its answer is not longer than that."""
    assert 2 * 248 < measured["wire_bytes_per_settled"] < measured["wire_tls_bytes_per_settled"] < 3 * 248


def test_one_handshake_must_be_exactly_one() -> None:
    assert figures.budget("drain_handshakes") == "1"
    assert [figures.holds("drain_handshakes", count) for count in (0, 1, 2)] == [False, True, False]


def test_the_drain_rate_has_a_budget() -> None:
    assert figures.budget("drain_per_s_50ms") == ">= 600" and figures.unit("drain_per_s_50ms") == "payments/s"


@pytest.mark.usefixtures("counted")
def test_the_courier_s_instructions_and_garbage_are_counted(tmp_path: Path) -> None:
    """All payments are settled, or `steps` raises an error."""
    result = drain.steps(tmp_path)
    assert result["drain_instructions_per_payment"] > 100_000
    assert result["drain_garbage_bytes_per_payment"] > 0


@long_only
@pytest.mark.usefixtures("counted")
def test_the_key_exchange_takes_most_of_the_handshake() -> None:
    result = tls.hold()
    assert result["key_hold_ms_tls"] == model.processor_ms(result["key_hold_instructions_tls"])
    assert (
        result["tls_handshake_instructions"] / 2
        < result["key_hold_instructions_tls"]
        < result["tls_handshake_instructions"]
    )
