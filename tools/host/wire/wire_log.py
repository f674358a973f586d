# SPDX-License-Identifier: MIT
"""A log of all frames, as inside TLS: one JSON object per line, {"dir": "up" | "down", "hex": frame}."""

import json
from collections.abc import Iterable
from pathlib import Path

from tools.host import private_files


class WireLog:
    """Appends to a file; does nothing if the path is None."""

    def __init__(self, path: Path | None) -> None:
        self._file = private_files.touch(path).open("a") if path else None

    def write(self, direction: str, frames: Iterable[bytes]) -> None:
        """Log `frames`, each with its 2-byte length."""
        if self._file:
            self._file.writelines(json.dumps({"dir": direction, "hex": frame.hex()}) + "\n" for frame in frames)
            self._file.flush()

    def close(self) -> None:
        if self._file:
            self._file.close()
