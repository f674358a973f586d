# SPDX-License-Identifier: MIT
"""The other files of this folder run in MicroPython; this one, in CPython, starts them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tools.world import interpreter
from tools.world.power import BOARD, FIRMWARE

HERE = Path(__file__).parent
HEAP = "16M"
_PATIENCE_S = 300


def run_environment() -> dict[str, str]:
    """Where the scripts find the firmware and what they import of the board (flashchip.py; shadowed modules come later)."""
    path = os.pathsep.join([".frozen", str(HERE), str(FIRMWARE), str(BOARD)])
    return {**os.environ, "MICROPYPATH": path}


def ask(script: str, *arguments: str, micropython: str | Path = "") -> dict[str, Any]:
    """Run a script of this folder; it prints one JSON object. Raises CalledProcessError with what it said.

    `micropython`: another interpreter than the project's.
    """
    done = subprocess.run(
        [micropython or interpreter.micropython(), "-X", f"heapsize={HEAP}", HERE / script, *arguments],
        env=run_environment(), check=True, capture_output=True, text=True, timeout=_PATIENCE_S,
    )  # fmt: skip
    return json.loads(done.stdout)
