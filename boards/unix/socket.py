# SPDX-License-Identifier: MIT
"""`socket` on the virtual radio: every name resolves to the world's relay, which forwards the bytes."""

import time

import usocket
from usocket import *  # noqa: F403

import bus
import wiring

_NO_NAME = -202  # lwIP's EAI_FAIL, as the ESP32 port reports it


def getaddrinfo(host: str, port: int, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list:
    """The relay's address in place of `host` and `port`. Blocks, as on the chip. Raises OSError without a network."""
    time.sleep_ms(bus.ask_number(wiring.LOOKUP, 0, 2, host.encode()))
    relay = bus.ask_number(wiring.RESOLVE, 0, 2, ("%s:%d" % (host, port)).encode())
    if not relay:
        raise OSError(_NO_NAME)
    return usocket.getaddrinfo("127.0.0.1", relay, 0, usocket.SOCK_STREAM)
