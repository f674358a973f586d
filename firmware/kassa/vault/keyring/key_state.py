# SPDX-License-Identifier: MIT
"""What is in memory of the keyring: the DUKPT registers, how far keys and STANs are reserved, where the state is in flash."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.crypto.dukpt import Registers
    from kassa.hardware import Entropy, Flash


class KeyState:
    """Shared by the keyring, which gives keys out, and by what loads and reserves them."""

    def __init__(self, flash: "Flash", key: bytearray, entropy: "Entropy") -> None:
        """`flash`: the keyring partition (8 blocks of 4096 B). `key`: the 16-byte keyring key, kept here. `entropy`: os.urandom."""
        self.flash = flash
        self.key = key
        self.entropy = entropy
        self.sector = 0  # of the state in flash; staging until there is one
        self.generation = 0
        self.damaged = 0  # copies of the state, of two, that boot could not read
        self.registers: "Registers | None" = None
        self.end = 0  # first counter of the next block: not ours yet
        self.stan = 1
        self.stans_left = 0
        self.sure = False  # since boot, a sector that looks blank has been one that this boot erased
        self.initial_id = bytearray(8)
