# SPDX-License-Identifier: MIT
"""What the simulated WeChat Pay can do wrong, request by request."""

import json
from dataclasses import dataclass
from typing import Any

# before or after the request had its effect
RESET, HANGS, BROKEN, BUSY, OFTEN = "reset", "hangs", "5xx", "system error", "frequency limit"
# always after it
CUT, HTML, HUGE, REDIRECT, DEEP, NO_JSON, LIST, PACKED = (
    "cut", "html", "20 MB", "redirect", "deep json", "no json", "a list", "packed"
)  # fmt: skip
FORGED, UNSIGNED, STALE, UNKNOWN_KEY, PROBE = "wrong signature", "unsigned", "stale", "unknown key", "signature probe"
AMOUNT, CURRENCY, ORDER, MERCHANT, TYPES, EMPTY = (
    "wrong amount", "wrong currency", "another order", "another merchant", "wrong types", "empty object"
)  # fmt: skip
FAILS = (RESET, HANGS, BROKEN, BUSY, OFTEN)
RAW = (CUT, HTML, HUGE, REDIRECT, DEEP, NO_JSON, LIST, PACKED)
SIGNATURES = (FORGED, UNSIGNED, STALE, UNKNOWN_KEY, PROBE)
LIES = (AMOUNT, CURRENCY, ORDER, MERCHANT, TYPES, EMPTY)
PAGE = b"<html><body>Please accept the terms.</body></html>"


@dataclass(frozen=True, slots=True)
class Mood:
    """`on`: the call it is for (server.call_of); "" for any. `after`: once the request had its effect."""

    kind: str
    on: str = ""
    after: bool = True


def raw(kind: str) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of an answer that is none. It is signed, so that the signature alone does not tell."""
    body = {
        HTML: PAGE,
        HUGE: b'{"a":"' + b"a" * 20_000_000 + b'"}',
        DEEP: b"[" * 100_000,
        NO_JSON: b"{",
        LIST: b"[]",
    }.get(kind, b"{}")
    headers = {"Content-Type": "text/html" if kind == HTML else "application/json"}
    if kind == REDIRECT:
        return 302, b"", {**headers, "Location": "https://elsewhere.example/"}
    return 200, body, {**headers, "Content-Encoding": "gzip"} if kind == PACKED else headers


def lie(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """An answer's object about something else."""
    found = json.loads(json.dumps(data))
    if kind == EMPTY:
        return {}
    if kind == ORDER:
        return {name: "f" * 32 if name in ("out_trade_no", "out_refund_no") else each for name, each in found.items()}
    if kind == MERCHANT:
        return {name: "1999999999" if name in ("mchid", "sp_mchid") else each for name, each in found.items()}
    if kind == TYPES:
        return {name: [each] for name, each in found.items()}
    amount = found.get("amount", {})
    if kind == AMOUNT:
        found["amount"] = {name: each + 1 if isinstance(each, int) else each for name, each in amount.items()}
    if kind == CURRENCY:
        found["amount"] = {**amount, "currency": "USD"}
    return found
