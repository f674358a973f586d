# SPDX-License-Identifier: MIT
"""What comes out of reading a card."""

from micropython import const

# Kinds (EMV Contactless Book A).
ONLINE = const(1)  # the card gave an ARQC: the host decides, now or later
APPROVED = const(2)  # the card gave a TC and was proven: nobody need be asked
DECLINED = const(3)
TRY_AGAIN = const(4)  # present the card again
USE_OTHER = const(5)  # another card
END = const(6)  # nothing to be had from this card
TO_PROVE = const(7)  # ours, inside the room: all is said, the proof is still to be checked
TO_PROVE_OR_ASK = const(8)  # ours, likewise: without a proof the host decides

EXPIRED = "card_expired"
UNPROVEN = "declined_proof"

# Messages, by the identifiers of EMV Contactless Book A, table 9-1.
MSG_DECLINED = const(0x07)
MSG_NOT_PROVEN = const(0x107)  # ours: declined, for the card could not be proven
MSG_TRY_AGAIN = const(0x21)
MSG_SEE_PHONE = const(0x20)
MSG_OTHER_CARD = const(0x1C)
MSG_OVER_LIMIT = const(0x11C)  # ours: another card, for those of this scheme may not pay so much
MSG_ONE_CARD = const(0x19)
MSG_READ_OK = const(0x17)
MSG_ERROR = const(0x0F)
MSG_NO_CARD = const(0x15)  # "present card": none came in time


class Outcome:
    """`kind` and `message` as above. `refusal`: why nobody but the host may take it, a text's key, "" = no reason:
    EXPIRED, the card's date lies before the terms' date; UNPROVEN, its signature is wrong."""

    def __init__(self, kind: int, message: int, refusal: str = "") -> None:
        self.kind = kind
        self.message = message
        self.refusal = refusal
