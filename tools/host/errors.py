# SPDX-License-Identifier: MIT
"""The host's exceptions. Their messages never contain keys or card data."""


class HostError(Exception):
    """Base class of the host's exceptions."""


class FrameError(HostError):
    """Bytes that are not a frame of docs/wire.md. The connection is closed."""


class ForeignTerminal(HostError):
    """A message that names another terminal than the certificate of its connection. `named`: the one it names."""

    def __init__(self, named: str) -> None:
        super().__init__("message of another terminal")
        self.named = named


class SealError(HostError):
    """A sealed record whose seal tag or body is invalid."""


class KeyMissing(HostError):
    """A key that is asked for is not in the key store."""


class HangUp(HostError):
    """The connection is to be closed. `last`: bytes to send first."""

    def __init__(self, last: bytes = b"") -> None:
        super().__init__("connection closed")
        self.last = last


class IssuerFault(HostError):
    """The issuer cannot be reached, or its answer is invalid. The payment stays open and is tried again."""


class ProviderFault(IssuerFault):
    """A wallet or an acquirer cannot be reached, or its answer is invalid, or about something else: nothing is known."""


class OperatorError(HostError):
    """What an operator asked for cannot be done, or not yet. The message says why."""


class StateError(HostError):
    """A row was not in the state it has to be in: the transaction is rolled back, and what it was about is tried again."""


class SetupError(HostError):
    """The keys, certificates, tables or terminal list in the host's home cannot be used, or a setting is invalid."""


class BooksError(HostError):
    """A posting that does not sum to zero: the transaction is rolled back."""


class BackupError(HostError):
    """A backup that cannot be made or restored, or is not whole, or not for this key."""
