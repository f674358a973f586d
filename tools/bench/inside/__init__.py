# SPDX-License-Identifier: MIT
"""Scripts that run in MicroPython. Only this file runs in CPython; it starts the others."""

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
    """The environment of a script: finds the firmware, and board modules (flashchip.py) after built-in ones."""
    path = os.pathsep.join([".frozen", str(HERE), str(FIRMWARE), str(BOARD)])
    return {**os.environ, "MICROPYPATH": path}


def ask(script: str, *arguments: str, micropython: str | Path = "") -> dict[str, Any]:
    """Run a script of this folder and return the JSON object it prints. Raises CalledProcessError with its output.

    `micropython`: an interpreter to use in place of the project's.
    """
    done = subprocess.run(
        [micropython or interpreter.micropython(), "-X", f"heapsize={HEAP}", HERE / script, *arguments],
        env=run_environment(), check=True, capture_output=True, text=True, timeout=_PATIENCE_S,
    )  # fmt: skip
    return json.loads(done.stdout)
