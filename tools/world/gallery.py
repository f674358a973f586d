# SPDX-License-Identifier: MIT
"""Every page of the terminal as a picture, in both languages.

`python -m tools.world.gallery OUT` writes OUT/LANGUAGE-NAME.png.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.world import interpreter
from tools.world.ili9341 import ILI9341, png
from tools.world.power import ROOT

LANGUAGES = ("en", "zh")


def replay(tape: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Replay a tape of gallery_stage.py on the display. Yields (page, its pixels, bytes sent to the display for it)."""
    chip, at, before = ILI9341(), 0, 0
    chip.pin("rst", 0)
    chip.pin("rst", 1)
    while at < len(tape):
        kind, size = tape[at : at + 1], int.from_bytes(tape[at + 1 : at + 3], "little")
        data = tape[at + 3 : at + 3 + size]
        at += 3 + size
        if kind == b"N":
            yield data.decode(), chip.pixels, chip.bytes_in - before
            before = chip.bytes_in
        else:
            chip.pin("dc", kind == b"D")
            chip.select()
            chip.transfer(data)
            chip.deselect()


def pages(language: str) -> list[tuple[str, bytes, int]]:
    """Every page in one language, as from `replay`. Raises RuntimeError with the traceback if drawing fails."""
    with tempfile.TemporaryDirectory() as scratch:
        tape = Path(scratch) / "tape"
        done = subprocess.run(
            [interpreter.micropython(), str(ROOT / "tools/world/gallery_stage.py"), str(tape), language],
            env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        )  # fmt: skip
        if done.returncode or "Traceback" in done.stdout:
            raise RuntimeError(done.stdout)
        return list(replay(tape.read_bytes()))


def main() -> int:
    interpreter.require()
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "build/gallery")
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for language in LANGUAGES:
        for name, pixels, _ in pages(language):
            (out / f"{language}-{name}.png").write_bytes(png(pixels))
            count += 1
    print(f"{count} pages in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
