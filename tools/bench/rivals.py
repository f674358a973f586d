# SPDX-License-Identifier: MIT
"""Figures of the rival stores doing our journal's work, on the same chip model in the same run (inside/rivals.py)."""

from tools.bench.costs import costs
from tools.bench.inside import ask

NAMES = ("littlefs", "littlefs_tuned", "fat", "json")
_PAYMENTS = "1000"
_DEPTH = 3000  # unsettled payments at boot, or as many as the store can hold


def rivals() -> dict[str, float]:
    """The figures of each rival, named like ours with the rival's name as prefix."""
    figures: dict[str, float] = {}
    for name in NAMES:
        figures |= costs(name, ask("rivals.py", name, "trade", _PAYMENTS))
        held = ask("rivals.py", name, "fill")["records"]
        for depth in (0, _DEPTH):
            read = ask("rivals.py", name, "read", str(min(depth, held)))
            figures[f"{name}_ready_read_bytes_{depth}"] = read["ready"]
            figures[f"{name}_recovery_read_bytes_{depth}"] = read["recovery"]
        figures[f"{name}_records_per_mib"] = held
    return figures
