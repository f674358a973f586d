# SPDX-License-Identifier: MIT
"""The outcomes of reading a card."""

from micropython import const

# Kinds (EMV Contactless Book A).
ONLINE = const(1)  # the card returned an ARQC: the host decides, now or later
APPROVED = const(2)  # the card returned a TC and was authenticated: approved offline
DECLINED = const(3)
TRY_AGAIN = const(4)  # present the card again
USE_OTHER = const(5)  # use another card
END = const(6)  # this card cannot be used
TO_PROVE = const(7)  # not EMV, internal to this package: the card is read, its proof must still be checked
TO_PROVE_OR_ASK = const(8)  # the same, but if the proof fails the host decides

EXPIRED = "card_expired"
UNPROVEN = "declined_proof"

# Messages, by the identifiers of EMV Contactless Book A, table 9-1.
MSG_DECLINED = const(0x07)
MSG_NOT_PROVEN = const(0x107)  # not EMV: declined because the card could not be authenticated
MSG_TRY_AGAIN = const(0x21)
MSG_SEE_PHONE = const(0x20)
MSG_OTHER_CARD = const(0x1C)
MSG_OVER_LIMIT = const(0x11C)  # not EMV: use another card, the amount is over this scheme's limit
MSG_ONE_CARD = const(0x19)
MSG_READ_OK = const(0x17)
MSG_ERROR = const(0x0F)
MSG_NO_CARD = const(0x15)  # "present card": no card was presented in time


class Outcome:
    """The outcome of one tap: `kind` and `message` are the constants above.

    `refusal`: the text key of the reason why only the host may accept the card; "" = none. EXPIRED: the card expired
    before the terms' date. UNPROVEN: its signature is wrong.
    """

    def __init__(self, kind: int, message: int, refusal: str = "") -> None:
        self.kind = kind
        self.message = message
        self.refusal = refusal
