# SPDX-License-Identifier: MIT
"""What TLS takes of C's heap at its peak, from the shipped channel's handshake with the host: valgrind's massif counts.

The peak of a run that does everything but the handshake is taken off. The library is Debian's Mbed TLS with its own
buffer sizes, not an ESP32's; the GC heap is apart.
"""

import re
import tempfile
from pathlib import Path

from tools.bench import instructions
from tools.bench.inside import HERE
from tools.stage import Stage

_PATIENCE_S = 120
_HEAP = "256k"


def measure() -> float | None:
    """tls_malloc_peak_kib; None where the tools for it cannot be had."""
    if not instructions.available():
        return None
    with tempfile.TemporaryDirectory(prefix="kassa-tls-") as folder:
        return round((_peak(Path(folder), True) - _peak(Path(folder), False)) / 1024, 1)


def _peak(folder: Path, opens: bool) -> int:
    """The most bytes that were allocated at one time. Raises RuntimeError when the handshake did not come about."""
    home = folder / ("with" if opens else "without")
    source = home / "source"
    source.mkdir(parents=True)
    (source / "main.py").write_text(f"OPENS = {opens}\n" + (HERE / "handshake.py").read_text())
    counts = home / "massif"
    command = home / "micropython"
    tool = f"valgrind --trace-children=yes --tool=massif --peak-inaccuracy=0.0 --massif-out-file={counts}"
    command.write_text(f'#!/bin/sh\nexec {tool} {instructions.decodable()} "$@"\n')
    command.chmod(0o755)
    with Stage(home / "stage", micropython=str(command), speed="real", heap=_HEAP, source=source) as stage:
        stage.world.power_on()
        stage.world.wait_off(_PATIENCE_S)
        if opens and "handshake done" not in stage.world.console:
            raise RuntimeError(stage.world.console)
    return max(int(size) for size in re.findall(r"mem_heap_B=(\d+)", counts.read_text()))
