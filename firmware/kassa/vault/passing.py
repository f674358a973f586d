# SPDX-License-Identifier: MIT
"""Passes over keys that are used up: an older state of this chip, or a copy of it, has shown them to the host."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.keyring import Keyring


def pass_over(keyring: "Keyring", used: int) -> None:
    """Never hand out a counter up to `used` again. Durable with the next block, which the next key taken reserves.

    Raises KeyringError when no counter is left.
    """
    registers = keyring._registers
    if registers is not None and registers.counter <= used:
        registers.skip_to(used + 1)
