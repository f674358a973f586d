# SPDX-License-Identifier: MIT
"""Cost of the TLS handshake between the firmware's channel and the host: peak use of the C heap, and instructions.

Valgrind measures: massif the heap, callgrind the instructions. A run without the handshake is subtracted. The library
is Debian's Mbed TLS with its own buffer sizes, not an ESP32's, entirely in software. The GC heap is not included.
"""

import re
import tempfile
from pathlib import Path

from tools.bench import instructions, model, romfs
from tools.bench.inside import HERE
from tools.whole_system import WholeSystem

_PATIENCE_S = 120
_HEAP = "256k"
_DELAY_MS = 25  # each way, so that what the host sends in one go arrives in one go
_MASSIF = "--tool=massif --peak-inaccuracy=0.0 --massif-out-file={counts}"
# asyncio polls once per turn of its loop; the code between two polls holds the processor. Each such stretch is dumped.
_CALLGRIND = "--tool=callgrind --dump-before=poll --callgrind-out-file={counts}"


def measure() -> float | None:
    """The figure tls_malloc_peak_kib, or None if the tools for it are not available."""
    if not instructions.available():
        return None
    with tempfile.TemporaryDirectory(prefix="kassa-tls-") as folder:
        without, whole = (max(_counts(Path(folder), opens, _MASSIF, r"mem_heap_B=(\d+)")) for opens in (False, True))
    return round((whole - without) / 1024, 1)


def hold() -> dict[str, float]:
    """The longest time the handshake holds the processor (modelled), and its total instructions.

    The handshake includes no flash operation. Raises RuntimeError if something else holds the processor longer.
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
    """Every match of `number` in the output of valgrind's `tool`. Raises RuntimeError if a run lacks its handshake."""
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
