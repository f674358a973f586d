# SPDX-License-Identifier: MIT
"""What provisioning uses of the chip's `machine`, for a REPL without a world around it."""

import os
import sys


def unique_id() -> bytes:
    return b"\x02\xaa\xbb\xcc\xdd\x01"


def reset() -> None:
    """Start again: the bench looks for this file."""
    with open("was_reset", "w"):
        pass
    sys.exit()


class WDT:
    def __init__(self, timeout: int) -> None:
        pass

    def feed(self) -> None:
        pass


class RTC:
    def memory(self, data: bytes) -> None:
        if "rtc.bin" in os.listdir():
            os.remove("rtc.bin")
