# SPDX-License-Identifier: MIT
"""A short run of the fuzzer on each interpreter, with a fixed seed. `make fuzz` runs as long as requested."""

import pytest

from host_tests.fuzz.campaign import run
from host_tests.harness.in_micropython.runner import both_widths, interpreter_of

SECONDS = 25


@pytest.mark.parametrize("bits", both_widths())
def test_no_card_or_reader_message_breaks_a_rule(bits: str) -> None:
    tried = run(interpreter_of(bits), SECONDS, 1)
    print(", ".join(f"{name} {count}" for name, count in tried.items()))
    assert tried["taps"] >= 100 and tried["frames"] >= 100 and tried["trees"] >= 400
    assert tried["taps understood"] and tried["frames understood"] and tried["trees understood"]
