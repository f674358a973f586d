# SPDX-License-Identifier: MIT
"""The host's moods: misbehaviour for tests, the demo and the panel, set by a line of text.

`normal`; `decline NN`: issuers refuse with NN; `silent`: reads but never answers; `mute`: answers
handshakes and other management, no payment; `slow MS`: waits before working;
`late MS`: commits, then waits before answering; `cut`: commits, then closes the connection; `bad_mac`: answers with a
wrong MAC; `html`: answers like a captive portal; `asks`: every code payment needs the customer's consent; `never`: the
customer never consents; `mismatch`: no batch balances; `twice`: sends every answer twice; `wrong_amount`: answers for
another amount, with a valid MAC.
"""

import re
from dataclasses import dataclass

from tools.host.errors import SetupError

NORMAL, DECLINE, SILENT, SLOW, LATE, CUT, BAD_MAC, HTML, MISMATCH, TWICE, WRONG_AMOUNT, MUTE = (
    "normal", "decline", "silent", "slow", "late", "cut", "bad_mac", "html", "mismatch", "twice", "wrong_amount", "mute"
)  # fmt: skip
WALLET = ("asks", "never")
_DEFAULTS = {SLOW: "2000", LATE: "5000", DECLINE: "05"}
_LONGEST_MS = 600_000
_PAGE = b"<html><body>Please accept the terms.</body></html>"
PORTAL = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(_PAGE), _PAGE)


@dataclass(frozen=True, slots=True)
class Mood:
    """`kind` and its parameter: `code` for decline, `delay` in seconds for slow and late."""

    kind: str = NORMAL
    code: str | None = None
    delay: float = 0.0

    def __str__(self) -> str:
        more = self.code or (f"{self.delay * 1000:.0f}" if self.delay else "")
        return f"{self.kind} {more}".strip()


def parse(text: str) -> Mood:
    """Parse a mood. Raises SetupError for an unknown one."""
    kind, _, value = text.strip().partition(" ")
    value = value.strip() or _DEFAULTS.get(kind, "")
    if kind == DECLINE and re.fullmatch("[0-9A-Z]{2}", value):
        return Mood(kind, code=value)
    if kind in (SLOW, LATE) and re.fullmatch("[0-9]{1,6}", value) and int(value) <= _LONGEST_MS:
        return Mood(kind, delay=int(value) / 1000)
    if kind in (NORMAL, SILENT, CUT, BAD_MAC, HTML, MISMATCH, TWICE, WRONG_AMOUNT, MUTE, *WALLET) and not value:
        return Mood(kind)
    raise SetupError(f"no such mood: {text!r}"[:60])


def with_wrong_amount(fields: dict[str, str]) -> dict[str, str]:
    """An answer's data elements, with DE 4 (if present) one minor unit too high."""
    return fields | ({"4": f"{int(fields['4']) + 1:012}"} if "4" in fields else {})
