# SPDX-License-Identifier: MIT
"""Which MicroPython to run: the one named in the environment, or the project's own."""

import os
import subprocess
import sys

from tools.world.power import ROOT

OLDEST = (1, 26)
_PATIENCE_S = 20
_PROBE = """
import sys
try:
    import tls
except ImportError:
    tls = None
print("kassa", sys.implementation.name, sys.implementation.version[0], sys.implementation.version[1], int(tls is not None))
"""


def micropython() -> str:
    """$MICROPYTHON, or the one that `make setup` installs."""
    return os.environ.get("MICROPYTHON") or str(ROOT / ".venv-mp" / "bin" / "micropython")


def micropython32() -> str | None:
    """$MICROPYTHON32, a 32-bit MicroPython; None if it is not set."""
    return os.environ.get("MICROPYTHON32") or None


def require() -> None:
    """Exit with status 1 and one line on stderr if `micropython` is unsuitable. Every command calls this first."""
    found = problem()
    if found:
        sys.exit(found)


def problem() -> str | None:
    """One line for the user if `micropython` is unsuitable, else None."""
    defect = defect_of(micropython())
    return (
        defect and f"{defect}: run `make setup`, or set MICROPYTHON to a Unix port {_dotted(OLDEST)} or newer with tls"
    )


def defect_of(command: str) -> str | None:
    """What is wrong with an interpreter, in a few words; None if the terminal can run on it."""
    if not os.path.isfile(command):
        return f"no MicroPython at {command}"
    try:
        done = subprocess.run([command, "-c", _PROBE], capture_output=True, text=True, timeout=_PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return f"{command} does not run"
    words = done.stdout.split()
    if done.returncode or len(words) != 5 or words[0] != "kassa":
        return f"{command} does not run"
    if words[1] != "micropython":
        return f"{command} is no MicroPython"
    version = int(words[2]), int(words[3])
    if version < OLDEST:
        return f"{command} is MicroPython {_dotted(version)}"
    if words[4] != "1":
        return f"{command} was built without tls"
    return None


def _dotted(version: tuple[int, int]) -> str:
    return "%d.%d" % version
