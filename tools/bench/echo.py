# SPDX-License-Identifier: MIT
"""Time from a key's edge to its drawn digit on the page of a card sale, modelled.

The keypad's driver takes three samples 10 ms apart, the first one at most 10 ms after the edge: that is the wait. Then come
the processor and the display's bus. Garbage collections and other tasks are not included.
"""

from tools.bench import instructions, micropython32, model
from tools.bench.inside import HERE, ask

_WAIT_MS = 30  # drivers/keypad.py: _SAMPLES of them, _SCAN_MS apart
_TURNS = 10
_KEYS = 2  # of a turn: a digit, and Clear


def echo() -> dict[str, float]:
    """The figures, or none if instructions cannot be counted here."""
    if not instructions.available():
        return {}
    work = instructions.per_turn(HERE / "echo.py", "typed", _TURNS) / _KEYS
    sent = [ask("echo.py", "bytes", str(turns), micropython=micropython32.path())["bytes"] for turns in (0, _TURNS)]
    drawn = model.display_ms((sent[1] - sent[0]) // (_TURNS * _KEYS))
    cpu = model.processor_ms(work)
    return {
        "key_echo_ms": round(_WAIT_MS + drawn + cpu, 1),
        "key_echo_cpu_ms": round(cpu, 1),
        "key_echo_display_ms": round(drawn, 1),
        "key_echo_instructions": round(work),
    }


if __name__ == "__main__":
    from tools.bench.figures import show

    show(echo())
