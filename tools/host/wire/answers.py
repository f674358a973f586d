# SPDX-License-Identifier: MIT
"""Answers: the data elements as stored, and the envelope (TPDU, header, DE 53, DE 64) added for each transmission."""

import datetime
import re

from tools.host.keys import dukpt, mac
from tools.host.keys.key_store import KeyStore
from tools.host.wire import codec
from tools.host.wire.message import Message

Answer = dict[str, str]  # data elements by number and `t`, without the envelope

APPROVED, INVALID, FORMAT_ERROR, IN_PROGRESS, NOT_FOUND = "00", "12", "30", "09", "25"
BAD_CARD, EXPIRED, SUSPECT, RESTRICTED, WRONG_AMOUNT, DO_NOT_HONOUR = "14", "54", "59", "62", "64", "05"
OVER_LIMIT, NO_FUNDS, MALFUNCTION = "61", "51", "96"
DUPLICATE, UNKNOWN_TERMINAL, ISSUER_DOWN, ISSUER_SILENT = "94", "97", "91", "98"

YES = frozenset(("00", "11", "A2", "A4", "A5", "A6"))
NOT_FINAL = frozenset(("09", "68", "90", "91", "92", "96", "98", "99", "A0", "A7"))
_OURS = frozenset((DUPLICATE, UNKNOWN_TERMINAL))  # to a terminal: the host has it already; the host does not know you
_CODE = re.compile("[0-9A-Z]{2}")

_ECHOED = ("3", "4", "11", "25", "41", "42", "49", "60")  # in messages with a record
_ECHOED_BY_OTHERS = ("11", "41", "42", "60")
_TEXT_LIMIT = 60  # bytes of UTF-8 that fit on a terminal's screen


def compose(message: Message, at: datetime.datetime, text: str = "", **elements: str) -> Answer:
    """The answer's data elements, without the envelope. `elements`: by number, as in `_39="00"`. `at`: local time."""
    echoed = _ECHOED if "3" in message.fields else _ECHOED_BY_OTHERS
    fields = {name: message.fields[name] for name in echoed}
    fields["t"] = f"{int(message.mti) + 10:04}"
    fields["12"], fields["13"] = f"{at:%H%M%S}", f"{at:%m%d}"
    cut = text.encode()[:_TEXT_LIMIT].decode(errors="ignore").encode()
    fields["63"] = (message.fields["63"][:38] + cut.hex()).upper()
    fields.update({name.lstrip("_"): value for name, value in elements.items()})
    return fields


def is_decision(code: object) -> bool:
    """Whether a code from outside says something about a payment that a terminal understands in the same way."""
    return isinstance(code, str) and _CODE.fullmatch(code) is not None and code not in _OURS


def check(fields: Answer) -> None:
    """Encode an answer, so that it is known to be one that can be sent. Raises FrameError."""
    codec.encode({**fields, "h": "00" * 11, "53": "00" * 12, "64": "00" * 8})


def add_envelope(fields: Answer, message: Message, keys: KeyStore, request: int = 0) -> bytes:
    """The frame to send, 2-byte length first: swapped addresses, the request's KSN, DE 64 under key 2001.

    `request`: the header's processing request, what the terminal is asked to do.
    """
    swapped = message.frame[:1] + message.frame[3:5] + message.frame[1:3]
    header = swapped + bytes((0x61, 0x31, request, 0x00, 0x01, 0x00))
    envelope = {"h": header.hex(), "53": message.ksn.hex(), "64": "00" * 8}
    frame = codec.encode({**fields, **envelope})
    key = keys.working_key(message.ksn, dukpt.MAC_VERIFY)
    return codec.with_length(frame[:-8] + mac.tag(key, frame[5:-8]))
