# SPDX-License-Identifier: MIT
"""What a flow waits for: the host's answer to the one request it made."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.uplink.iso8583 import Answer


class Outcome:
    """What became of the one request a flow waits for; `kind` 0 while it is open."""

    def __init__(self, sequence: int = 0) -> None:
        self.sequence = sequence  # of the record it is about, 0 = of none
        self.kind = 0  # answers.YES, NO, REVERSE (no answer)
        self.code = b""
        self.text = ""
        self.auth = ""
        self.rrn = ""
        self.waiting = False  # the customer has still to agree: the host knows no answer yet
        self.shown = b""  # what the customer is to scan, DE 62
        self.balance = b""  # DE 54
        self.totals = b""  # DE 48 of 0510
        self.uploaded = 0  # records of a batch that did not balance
        self.disputed = 0  # of them, those the host does not take

    def take(self, answer: "Answer", code: bytes) -> None:
        """What an answer to an online request says."""
        self.code = code
        self.text = text(answer.get(63)[19:])
        self.auth = text(answer.get(38))
        self.rrn = text(answer.get(37))
        self.balance = bytes(answer.get(54))


def text(data: memoryview) -> str:
    """Host text for the cashier, without control characters; at most 40 characters."""
    try:
        said = str(bytes(data), "utf-8")
    except UnicodeError:
        return ""
    return "".join([letter for letter in said if letter >= " "])[:40]
