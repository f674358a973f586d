# SPDX-License-Identifier: MIT
"""Runs test cases inside a long-running MicroPython process, from pytest.

The interpreters are $MICROPYTHON (default: the project's own) and $MICROPYTHON32; tests of a missing one are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.world import interpreter
from tools.world.power import ROOT

HERE = Path(__file__).resolve().parent


class InsideError(Exception):
    """A case raised an exception. `kind` is the exception's class name, `trace` its traceback."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(f"{kind}: {message}\n{trace}")
        self.kind = kind
        self.message = message
        self.trace = trace


class Inside:
    """One MicroPython process that runs the functions of cases_<room>.py. Use as a context manager."""

    def __init__(self, interpreter: str, heap: str = "4M", overlay: Path | None = None) -> None:
        self.interpreter = interpreter
        self.printed: list[str] = []
        self._heap = heap
        self._overlay = [str(overlay)] if overlay else []

    def __enter__(self) -> Inside:
        path = os.pathsep.join([*self._overlay, str(HERE), str(ROOT / "firmware"), ".frozen"])
        self._process = subprocess.Popen(
            [self.interpreter, "-X", f"heapsize={self._heap}", str(HERE / "worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
            cwd=ROOT, env={**os.environ, "MICROPYPATH": path},
        )  # fmt: skip
        return self

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def __exit__(self, *_: object) -> None:
        stdin, stdout = self._pipes()
        stdin.close()
        stdout.close()
        self._process.wait(timeout=10)

    def __call__(self, room: str, call: str, *args: Any) -> Any:
        """Run one case and return its value. Raises InsideError if the case raised."""
        stdin, stdout = self._pipes()
        stdin.write(json.dumps({"room": room, "call": call, "args": args}) + "\n")
        stdin.flush()
        while line := stdout.readline():
            if line.startswith("="):
                answer = json.loads(line[1:])
                if "error" in answer:
                    raise InsideError(answer["error"], answer["message"], answer["trace"])
                return answer["ok"]
            self.printed.append(line.rstrip("\n"))
        raise InsideError("Died", "the interpreter ended", "\n".join(self.printed[-20:]))

    def _pipes(self) -> tuple[Any, Any]:
        return self._process.stdin, self._process.stdout


def both_widths() -> tuple[str, ...]:
    """What `interpreter_of` takes, the chip's 32 bits first if that interpreter is here."""
    return ("32", "64") if Path(interpreter.micropython32() or "nowhere").exists() else ("64", "32")


def interpreter_of(bits: str) -> str:
    """The interpreter for "64" or "32" bits. Skips the test if it is missing."""
    found = interpreter.micropython32() if bits == "32" else interpreter.micropython()
    if not found or not Path(found).exists():
        pytest.skip(f"no {bits}-bit MicroPython here" + (" (MICROPYTHON32)" if bits == "32" else ""))
    return found


def share(inside: Inside) -> tuple[int, int]:
    """(index, count) to divide work between interpreters: with two, one takes the even items, the other the odd."""
    other = interpreter.micropython32()
    both = bool(other) and Path(str(other)).exists()
    return int(both and inside.interpreter == str(other)), 1 + both
