# SPDX-License-Identifier: MIT
"""The chip at a serial port, by esptool's command line."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.hardware.partitions import Partition

_BAUD = "460800"
_SIZE = re.compile(r"Detected flash size: (\d+)(KB|MB)")
_UNIT = {"KB": 1024, "MB": 1024 * 1024}
Runner = Callable[[Sequence[str]], str]  # esptool's arguments -> what it printed


class EsptoolError(Exception):
    """esptool failed. The message is its own "fatal error", or the last line that it printed."""


def run(arguments: Sequence[str]) -> str:
    """Run esptool and show what it prints. Raises EsptoolError."""
    command = [sys.executable, "-m", "esptool", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    if process.wait():
        raise EsptoolError(_reason(lines))
    return "".join(lines)


def _reason(lines: Sequence[str]) -> str:
    """What esptool calls fatal; otherwise its last line."""
    for line in reversed(lines):
        _, fatal, reason = line.partition("fatal error occurred:")
        if fatal:
            return reason.strip()
    return next((line.strip() for line in reversed(lines) if line.strip()), "esptool failed")


class Device:
    """A chip in its bootloader. Each call connects anew; `options` come before esptool's command."""

    def __init__(self, port: str, chip: str, options: Sequence[str] = (), runner: Runner = run) -> None:
        self._head = ["--chip", chip, "--port", port, "--baud", _BAUD, *options]
        self._run = runner

    def flash_size(self) -> int:
        """Bytes of the chip's flash. Raises EsptoolError."""
        found = _SIZE.search(self._run([*self._head, "flash-id"]))
        if found is None:
            raise EsptoolError("esptool does not tell the size of the chip's flash")
        return int(found.group(1)) * _UNIT[found.group(2)]

    def read(self, address: int, size: int) -> bytes:
        """What the chip's flash holds. Raises EsptoolError."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "read.bin"
            self._run([*self._head, "read-flash", hex(address), hex(size), str(out)])
            content = out.read_bytes()
        if len(content) != size:
            raise EsptoolError(f"{len(content)} bytes were read instead of {size}")
        return content

    def erase(self, row: Partition) -> None:
        """Blank one partition. Raises EsptoolError."""
        self._run([*self._head, "erase-region", hex(row.address), hex(row.size)])

    def write(self, parts: dict[int, bytes], flash_size: int) -> None:
        """Write all parts in one go, each verified. The bootloader learns the flash size. Raises EsptoolError."""
        with tempfile.TemporaryDirectory() as folder:
            arguments = []
            for address, content in sorted(parts.items()):
                path = Path(folder) / f"{address:x}.bin"
                path.write_bytes(content)
                arguments += [hex(address), str(path)]
            size = f"{flash_size // _UNIT['MB']}MB"
            self._run([*self._head, "write-flash", "--flash-size", size, *arguments])
