# SPDX-License-Identifier: MIT
"""A serial port with something behind it that is no chip, or a chip that has gone mad."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable

_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"


class Port:
    """`answer` gets what was sent since its last answer, and returns what comes back. A context manager: its path."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._desk, self._port = os.openpty()
        tty.setraw(self._port)
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return os.ttyname(self._port)

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._thread.join()
        os.close(self._desk)
        os.close(self._port)

    def _serve(self) -> None:
        while self._open:
            if select.select([self._desk], [], [], 0.02)[0]:
                os.write(self._desk, self._answer(os.read(self._desk, 65536)))


def raw_repl(printed: bytes, error: bytes = b"") -> Callable[[bytes], bytes]:
    """A REPL that enters raw mode as it should, and answers any code with the same bytes."""
    state = {"code": False}

    def answer(sent: bytes) -> bytes:
        if b"\x05A\x01" in sent:
            state["code"] = True
            return b"R\x00"
        if sent.endswith(b"\x04") and state["code"]:
            state["code"] = False
            return b"OK" + printed + b"\x04" + error + b"\x04>"
        if sent.endswith(b"\x04"):
            return b"OK\r\nMPY: soft reboot\r\n" + _PROMPT
        return _PROMPT if b"\x01" in sent else b""

    return answer
