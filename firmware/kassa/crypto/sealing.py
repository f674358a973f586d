# SPDX-License-Identifier: MIT
"""Seals one payment record in place: body encrypted, seal tag set. Layout: docs/journal.md."""

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import Cmac
from kassa.crypto.wipe import wipe_cipher

NONCE = const(64)
DATA = const(80)
SEAL = const(240)
SEALED = const(248)
_ZERO = bytes(16)


class Sealer:
    """The ciphers of one payment, made ahead while the till is idle; good for one record, then wiped."""

    def __init__(self, data_key: bytearray, seal_key: bytearray) -> None:
        """Keys 3000 and 2002 of the body's KSN, 16 B each; the caller zeroes them."""
        self._body = aes(data_key, 2, _ZERO)
        self._seal = Cmac(seal_key)

    def seal(
        self, body: memoryview, tagged: memoryview, work: memoryview, tag: memoryview, last: memoryview | None = None
    ) -> None:
        """Encrypt `body` (176 B) in place, then tag `tagged` (240 B, header and body) into `tag` (8 B). Allocates nothing.

        `work`: 240 B of scratch, clobbered; `last`: its last block, see Cmac.finish.
        """
        self._body.encrypt(body, body)
        work[:] = tagged
        self._seal.finish(work, SEAL, tag, last)

    def wipe(self) -> None:
        """Zero both keys where the cipher objects hold them."""
        wipe_cipher(self._body)
        self._seal.wipe()
