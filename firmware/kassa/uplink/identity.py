# SPDX-License-Identifier: MIT
"""The numbers by which the host knows this terminal."""


class Identity:
    """`terminal`: DE 41, 8 bytes. `merchant`: DE 42, 15 bytes."""

    def __init__(self, terminal: bytes, merchant: bytes) -> None:
        self.terminal = terminal
        self.merchant = merchant
