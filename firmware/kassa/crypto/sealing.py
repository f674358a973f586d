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
    """The ciphers of one payment, good for one record, then wiped."""

    def __init__(self, data_key: "Bytes", seal_key: "Bytes", warm: bool = False) -> None:
        """Keys 3000 and 2002 of the body's KSN, 16 B each; the caller zeroes them.

        `warm`: make the key schedules now, while nobody waits. The body's chain then starts from another block than
        zeros, known to nobody: it only changes which random bytes the nonce is.
        """
        self._body = aes(data_key, 2, _ZERO)
        self._seal = Cmac(seal_key, False, warm)
        if warm:
            block = bytearray(16)
            self._body.encrypt(block, block)

    def encrypt(self, body: memoryview) -> None:
        """Encrypt whole blocks of the body in place; the next call goes on where this one ended."""
        self._body.encrypt(body, body)

    def absorb(self, work: memoryview) -> None:
        """Take whole blocks into the seal tag ahead of those that `tag` ends with. `work` is clobbered."""
        self._seal.absorb(work)

    def tag(self, work: memoryview, first: memoryview, last: memoryview, tag: memoryview) -> None:
        """The seal tag (8 B) over `work | last`, see Cmac.finish. Allocates nothing."""
        self._seal.finish(work, first, last, tag)

    def wipe(self) -> None:
        """Zero both keys where the cipher objects hold them."""
        wipe_cipher(self._body)
        self._seal.wipe()
