# SPDX-License-Identifier: MIT
"""Who the terminal is to the host."""


class Identity:
    """`terminal`: DE 41, 8 bytes. `merchant`: DE 42, 15 bytes."""

    def __init__(self, terminal: bytes, merchant: bytes) -> None:
        self.terminal = terminal
        self.merchant = merchant
