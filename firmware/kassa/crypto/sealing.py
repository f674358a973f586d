# SPDX-License-Identifier: MIT
"""Seals one payment record in place: body encrypted, seal tag set. Layout: docs/journal.md."""

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import Cmac
from kassa.crypto.wipe import wipe_cipher

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

_ZERO = bytes(16)


class Sealer:
    """The two ciphers of one payment, good for one record, then wiped."""

    def __init__(self, data_key: "Bytes", seal_key: "Bytes", warm: bool = False) -> None:
        """Keys 3000 and 2002 of the body's KSN, 16 B each; the caller zeroes them.

        `warm`: make the key schedules now, while nobody waits. The body's chain then starts from another block than
        zeros, known to nobody: it only changes which random bytes the nonce is.
        """
        self.body = aes(data_key, 2, _ZERO)  # CBC: encrypts the body in place, and goes on where it ended
        self.mac = Cmac(seal_key, False, warm)  # of header and body: the seal tag
        if warm:
            block = bytearray(16)
            self.body.encrypt(block, block)

    def wipe(self) -> None:
        """Zero both keys where the cipher objects hold them."""
        wipe_cipher(self.body)
        self.mac.wipe()
