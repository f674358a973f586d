# SPDX-License-Identifier: MIT
"""Seals one payment record in place: nonce and data encrypted, seal tag set. Layout: docs/journal.md."""

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

    def __init__(self, data_key: "Bytes", seal_key: "Bytes", nonce: "Bytes", warm: bool = False) -> None:
        """Keys 3000 and 2002 of the body's KSN, 16 B each; the caller zeroes them. `nonce`: the body's first block, which
        is sealed here already. `warm`: make ready for a fast seal tag, while nobody waits.
        """
        self.body = aes(data_key, 2, _ZERO)  # CBC: goes on with the data, in place, behind the nonce
        self.body.encrypt(nonce, nonce)
        self.mac = Cmac(seal_key, False, warm)  # of header and body: the seal tag

    def wipe(self) -> None:
        """Zero both keys where the cipher objects hold them."""
        wipe_cipher(self.body)
        self.mac.wipe()
