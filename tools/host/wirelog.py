# SPDX-License-Identifier: MIT
"""What went over the line, as inside TLS: one JSON object a line, {"dir": "up" | "down", "hex": frame}."""

import json
from collections.abc import Iterable
from pathlib import Path


class WireLog:
    """Appends to a file; with no path it does nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a") if path else None

    def write(self, direction: str, frames: Iterable[bytes]) -> None:
        """`frames` from the 2-byte length on."""
        if self._file:
            self._file.writelines(json.dumps({"dir": direction, "hex": frame.hex()}) + "\n" for frame in frames)
            self._file.flush()

    def close(self) -> None:
        if self._file:
            self._file.close()
