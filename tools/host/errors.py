# SPDX-License-Identifier: MIT
"""What can go wrong at the host. Messages never carry keys or card data."""


class HostError(Exception):
    """The root of the host's own errors."""


class FrameError(HostError):
    """Bytes that are no frame of docs/wire.md. The connection is closed."""


class SealError(HostError):
    """A sealed record whose tag or body does not hold."""


class IssuerFault(HostError):
    """The issuer cannot be asked, or its answer makes no sense. The payment stays open and is tried again."""


class SetupError(HostError):
    """Keys, certificates or terminal list of the host's home cannot be used."""
