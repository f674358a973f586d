# SPDX-License-Identifier: MIT
"""Seals one payment record in place: encrypts nonce and data, sets the seal tag. Layout: docs/journal.md."""

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import Cmac
from kassa.crypto.wipe import wipe_cipher

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

_ZERO = bytes(16)


class Sealer:
    """The two ciphers that seal one record. Wiped afterwards."""

    def __init__(self, data_key: "Bytes", seal_key: "Bytes", nonce: "Bytes", fast: bool = False) -> None:
        """`data_key`, `seal_key`: working keys 3000 and 2002 of the body's KSN, 16 B each; the caller zeroes them.

        `nonce`: the first block of the body; encrypted here. `fast`: prepare for a fast seal tag while time allows.
        """
        self.body = aes(data_key, 2, _ZERO)  # CBC: after the nonce, encrypts the data in place
        self.body.encrypt(nonce, nonce)
        self.mac = Cmac(seal_key, False, fast)  # the seal tag, over header and body

    def wipe(self) -> None:
        """Zero both keys where the cipher objects hold them."""
        wipe_cipher(self.body)
        self.mac.wipe()
