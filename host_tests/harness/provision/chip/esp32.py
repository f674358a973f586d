# SPDX-License-Identifier: MIT
"""The Unix board's `esp32`, and NVS in front of efuse.bin, where that board keeps the device secret."""

import os

with open(os.getenv("KASSA_ESP32")) as _source:
    exec(_source.read())  # Partition and its chip, as the board has them

_worn = os.getenv("KASSA_WORN")
if _worn:
    _writeblocks = Partition.writeblocks  # noqa: F821 - from the source above

    def _weakly(self, block: int, data: bytes, offset: int = -1) -> None:
        if self.info()[4] == _worn:
            data = bytes((data[0] & (data[0] - 1),)) + data[1:]  # its lowest bit is lost
        _writeblocks(self, block, data, offset)

    Partition.writeblocks = _weakly  # noqa: F821 - the same

_FILE = "efuse.bin"
_NOT_FOUND = -4354  # ESP_ERR_NVS_NOT_FOUND


class NVS:
    """One blob, "secret" of the namespace "kassa". A value is there for others only after `commit`."""

    def __init__(self, namespace: str) -> None:
        assert namespace == "kassa"
        self._set = None

    def get_blob(self, key: str, into: bytearray) -> int:
        assert key == "secret"
        try:
            with open(_FILE, "rb") as file:
                return file.readinto(into)
        except OSError:
            raise OSError(_NOT_FOUND)  # noqa: B904 - MicroPython has no exception chaining

    def set_blob(self, key: str, value: bytes) -> None:
        assert key == "secret"
        self._set = value

    def commit(self) -> None:
        if self._set is not None:
            with open(_FILE, "wb") as file:
                file.write(self._set)
