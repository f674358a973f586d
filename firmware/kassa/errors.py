# SPDX-License-Identifier: MIT
"""Every error the terminal raises. A message names what went wrong in plain words and never carries a secret."""


class KassaError(Exception):
    """The root of all our errors."""


class CryptoError(KassaError):
    """A key block, tag or self-test that does not verify."""


class FlashFault(KassaError):
    """The flash chip refused, or did not hold what was written."""


class JournalDamaged(KassaError):
    """The journal's partition holds something that is not a journal: nothing is sold and nothing is erased."""


class JournalFull(KassaError):
    """No room for another payment until settled ones are cleared."""


class KeyringError(KassaError):
    """No usable keys: never loaded, unreadable or exhausted."""


class SettingsError(KassaError):
    """The settings are missing or unreadable."""


class CardError(KassaError):
    """The card sent something that no honest card sends."""


class CardGone(KassaError):
    """The card left the field, or its answer did not come in time."""


class ReaderFault(KassaError):
    """The card reader does not answer, or answers garbage."""


class PrinterFault(KassaError):
    """The printer does not answer or has no paper."""


class LinkError(KassaError):
    """No connection to the host. `sent` tells whether a byte of the message may have left.

    `dates`: 1 when the host's certificate is over, 2 when it is not valid yet, as far as TLS could tell.
    """

    def __init__(self, reason: str, sent: bool = False, dates: int = 0) -> None:
        super().__init__(reason)
        self.sent = sent
        self.dates = dates


class WireError(KassaError):
    """A frame that does not follow docs/wire.md."""


class Refused(KassaError):
    """The till does not take this payment. `key` names the text for the cashier, `values` are what it speaks of."""

    def __init__(self, key: str, *values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values
