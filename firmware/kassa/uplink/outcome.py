# SPDX-License-Identifier: MIT
"""What a flow waits for: the host's answer to the one request it made."""


class Outcome:
    """What became of the one request a flow waits for; `kind` 0 while it is open."""

    def __init__(self) -> None:
        self.kind = 0  # answers.YES, NO, REVERSE (no answer)
        self.code = b""
        self.text = ""
        self.auth = ""
        self.rrn = ""
        self.totals = b""  # DE 48 of 0510


def text(data: memoryview) -> str:
    """Host text for the cashier, without control characters; at most 40 characters."""
    try:
        said = str(bytes(data), "utf-8")
    except UnicodeError:
        return ""
    return "".join([letter for letter in said if letter >= " "])[:40]
