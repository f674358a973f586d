# SPDX-License-Identifier: MIT
"""The keyring's state in memory: DUKPT registers, reserved keys and STANs, and the place of the state in flash."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.crypto.dukpt import Registers
    from kassa.hardware import Entropy, Flash


class KeyState:
    """Base of Keyring; shared with the modules that load and reserve keys."""

    def __init__(self, flash: "Flash", key: bytearray, entropy: "Entropy") -> None:
        """`flash`: the keyring partition (8 blocks of 4096 B). `key`: the 16-byte keyring key, not copied.

        `entropy`: returns random bytes, such as os.urandom.
        """
        self.flash = flash
        self.key = key
        self.entropy = entropy
        self.sector = 0  # sector of the state in flash; 0 (staging) when there is none
        self.generation = 0
        self.damaged = 0  # how many of the two copies of the state boot could not read
        self.registers: "Registers | None" = None
        self.end = 0  # first counter of the next block, not reserved yet
        self.stan = 1
        self.stans_left = 0
        self.trusts_blank = False  # since this boot's first write: what looks blank is not erased again
        self.initial_id = bytearray(8)
