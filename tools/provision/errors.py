# SPDX-License-Identifier: MIT
"""Why a chip was not provisioned. Each message is for the person at the keyboard and contains no secret."""


class ProvisionError(Exception):
    """Base class of all errors in this module."""


class LinkLost(ProvisionError):
    """The chip does not answer, answers garbage, or the cable was pulled. Running the command again goes on."""


class ChipFailed(ProvisionError):
    """The chip answers, but could not do what it was asked to, or does not hold what was written."""


class BadInput(ProvisionError):
    """What was entered would not make a terminal that works."""


class Refused(ProvisionError):
    """The chip stays as it is."""


class NotKassa(Refused):
    """No Kassa firmware on this chip."""


class WrongBoard(Refused):
    """The chip, or the layout of its flash, is not that of the board named."""


class SecretThere(Refused):
    """The chip is a terminal already, and nobody asked to provision it again."""


class SecretLost(Refused):
    """The chip has a journal but not the secret that it was written with."""


class PaymentsThere(Refused):
    """Payments on the chip are not sent or not settled yet, or cannot be read."""


class TerminalTaken(Refused):
    """The host knows this terminal id with another chip's keys."""
