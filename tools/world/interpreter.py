# SPDX-License-Identifier: MIT
"""Which MicroPython runs things here: the one the environment names, or the project's own."""

import os

from tools.world.power import ROOT


def micropython() -> str:
    """$MICROPYTHON, or the one that `make setup` installs."""
    return os.environ.get("MICROPYTHON") or str(ROOT / ".venv-mp" / "bin" / "micropython")


def micropython32() -> str | None:
    """$MICROPYTHON32, a 32-bit MicroPython; None where the environment names none."""
    return os.environ.get("MICROPYTHON32") or None
