# SPDX-License-Identifier: MIT
"""Every error that the terminal raises. A message says what went wrong and never contains a secret."""


class KassaError(Exception):
    """Base class of all errors in this module."""


class CryptoError(KassaError):
    """A key block or tag did not verify, or the self-test failed."""


class FlashFault(KassaError):
    """The flash chip refused an operation, or does not hold what was written."""


class JournalDamaged(KassaError):
    """The journal partition holds data that is not a valid journal. Nothing is sold and nothing is erased."""


class JournalFull(KassaError):
    """No room for another payment until the batch is closed."""


class KeyringError(KassaError):
    """No usable keys: they were never loaded, are unreadable or are used up."""


class SettingsError(KassaError):
    """The settings are missing or unreadable."""


class CardError(KassaError):
    """The card sent data that violates the specifications."""


class CardGone(KassaError):
    """The card left the field or did not answer in time."""


class ReaderFault(KassaError):
    """The card reader does not answer, or its answer is invalid."""


class PrinterFault(KassaError):
    """The printer does not answer or has no paper."""


class LinkError(KassaError):
    """No connection to the host.

    `sent`: whether any byte of the message may have been sent. `cause`: why, a key of screens/texts/causes_en.py.
    """

    def __init__(self, reason: str, sent: bool = False, cause: str = "silent") -> None:
        super().__init__(reason)
        self.sent = sent
        self.cause = cause


class WireError(KassaError):
    """A frame that does not follow docs/wire.md."""


class Refused(KassaError):
    """The till refuses this payment. `key`: the text key for the cashier; `values`: the values to put into the text."""

    def __init__(self, key: str, *values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values
