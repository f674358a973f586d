# SPDX-License-Identifier: MIT
"""A log of all frames, as inside TLS: one JSON object per line, {"dir": "up" | "down", "hex": frame}."""

import json
import os
from collections.abc import Iterable
from pathlib import Path


class WireLog:
    """Appends to a file that only its owner may read; does nothing if the path is None.

    A frame that cannot be written (a full disk) is lost and counted in `lost`. It never stops an answer.
    """

    def __init__(self, path: Path | None) -> None:
        """Raises OSError if the file cannot be opened."""
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if path else None
        self._torn = False  # the last line was not written to its end
        self.lost = 0

    def write(self, direction: str, frames: Iterable[bytes]) -> bool:
        """Log `frames`, each with its 2-byte length. False: they are lost."""
        if self._file is None:
            return True
        lines = [json.dumps({"dir": direction, "hex": frame.hex()}) + "\n" for frame in frames]
        data = (("\n" if self._torn else "") + "".join(lines)).encode()
        try:
            written = os.write(self._file, data) if lines else 0
        except OSError:
            written = 0
        if not lines or written == len(data):
            self._torn = self._torn and not lines
            return True
        self._torn = self._torn or written > 0
        self.lost += len(lines)
        return False

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
