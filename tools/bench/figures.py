# SPDX-License-Identifier: MIT
"""How figures are told: `name value unit`, one a line. The unit follows from the name."""

_UNITS = (
    ("_kib", "KiB"),
    ("_ms", "ms"),
    ("bytes", "B"),
    ("erases", "erases"),
    ("programs", "programs"),
    ("instructions", "instructions"),
    ("apdus", "APDUs"),
)


def unit(name: str) -> str:
    """The unit of the figure with this name."""
    for part, word in _UNITS:
        if part in name:
            return word
    raise ValueError(f"no unit for {name}")


def show(figures: dict[str, float]) -> None:
    """Print each figure on a line."""
    for name, value in figures.items():
        print(name, f"{value:.10g}", unit(name))
