# SPDX-License-Identifier: MIT
"""The result of the one request that a flow waits for."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.uplink.iso8583 import Answer


class RequestResult:
    """The result of one request; `kind` is 0 while it is open."""

    def __init__(self, sequence: int = 0) -> None:
        self.sequence = sequence  # of the record, 0 = none
        self.kind = 0  # answers.YES, NO, REVERSE (no answer), UNSENT
        self.code = b""
        self.text = ""
        self.auth = ""
        self.rrn = ""
        self.waiting = False  # the customer has still to confirm, so the host has no answer yet
        self.code_to_show = b""  # DE 62: the code for the customer to scan
        self.balance = b""  # DE 54
        self.totals = b""  # the host's, DE 48 of the last answer to a batch close or to the end of an upload
        self.uploaded = 0  # records uploaded after "not balanced"
        self.disputed = 0  # of them, records that the host disputes

    def take(self, answer: "Answer", code: bytes) -> None:
        """Fill in what the cashier needs from an answer to an online request."""
        self.code = code
        self.text = text(answer.get(63)[19:])
        self.auth = text(answer.get(38))
        self.rrn = text(answer.get(37))
        self.balance = bytes(answer.get(54))


def text(data: memoryview) -> str:
    """Text from the host for the cashier: UTF-8 without control characters, at most 40 characters."""
    try:
        decoded = str(bytes(data), "utf-8")
    except UnicodeError:
        return ""
    return "".join([letter for letter in decoded if letter >= " "])[:40]
