# SPDX-License-Identifier: MIT
"""What TLS takes, from the shipped channel's handshake with the host: of C's heap at its peak, and of the processor.

Valgrind counts: massif the heap, callgrind the instructions. A run that does everything but the handshake is taken off.
The library is Debian's Mbed TLS with its own buffer sizes, not an ESP32's, and all of it is software; the GC heap is apart.
"""

import re
import tempfile
from pathlib import Path

from tools.bench import instructions, model, romfs
from tools.bench.inside import HERE
from tools.whole_system import WholeSystem

_PATIENCE_S = 120
_HEAP = "256k"
_DELAY_MS = 25  # each way: what the host says together arrives together
_MASSIF = "--tool=massif --peak-inaccuracy=0.0 --massif-out-file={counts}"
# asyncio polls once in each turn of its loop: what lies between two polls holds the processor. A part of the counts for each.
_CALLGRIND = "--tool=callgrind --dump-before=poll --callgrind-out-file={counts}"


def measure() -> float | None:
    """tls_malloc_peak_kib; None where the tools for it cannot be had."""
    if not instructions.available():
        return None
    with tempfile.TemporaryDirectory(prefix="kassa-tls-") as folder:
        without, whole = (max(_counts(Path(folder), opens, _MASSIF, r"mem_heap_B=(\d+)")) for opens in (False, True))
    return round((whole - without) / 1024, 1)


def hold() -> dict[str, float]:
    """How long the handshake holds the processor at a time, modelled, and all of its instructions.

    No flash operation falls into it: the processor's part is all there is. Raises RuntimeError when something else held it longer.
    """
    if not instructions.available():
        return {}
    with tempfile.TemporaryDirectory(prefix="kassa-tls-") as folder:
        without, whole = (_counts(Path(folder), opens, _CALLGRIND, r"totals: (\d+)") for opens in (False, True))
    longest = max(whole)
    if longest <= max(without):
        raise RuntimeError("the handshake does not hold the processor longest")
    return {
        "key_hold_ms_tls": model.processor_ms(longest),
        "key_hold_instructions_tls": longest,
        "tls_handshake_instructions": sum(whole) - sum(without),
    }


def _counts(folder: Path, opens: bool, tool: str, number: str) -> list[int]:
    """Every such `number` that valgrind's `tool` tells of a run. Raises RuntimeError when there was no handshake in it."""
    home = folder / ("with" if opens else "without")
    source = home / "source"
    source.mkdir(parents=True)
    (source / "main.py").write_text(f"OPENS = {opens}\n" + (HERE / "handshake.py").read_text())
    image = romfs.build(home / "image.romfs", source)
    counts, command = home / "counts", home / "micropython"
    options = f"--trace-children=yes {tool.format(counts=counts)}"
    command.write_text(f'#!/bin/sh\nexec valgrind {options} {instructions.decodable()} "$@"\n')
    command.chmod(0o755)
    with WholeSystem(home / "system", micropython=str(command), speed="real", heap=_HEAP, source=image) as system:
        system.world.radio.delay_ms = _DELAY_MS
        system.world.power_on()
        system.world.wait_off(_PATIENCE_S)
        if opens and not system.host.counters.get("connections"):
            raise RuntimeError(system.world.console)
    return [int(count) for file in home.glob("counts*") for count in re.findall(number, file.read_text())]
