# SPDX-License-Identifier: MIT
"""How the pages say things: texts in the viewer's language, money, times, and a payment's state."""

import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row

from tools.host.page.queries import payments
from tools.host.page.texts import en, zh
from tools.host.store import numbers

LANGUAGES = {"en": en.TEXTS, "zh": zh.TEXTS}
_APPROVED = {
    "01": "balance", "10": "preauthorised", "11": "voided", "21": "voided", "23": "voided", "25": "refunded",
    "32": "adjusted", "34": "adjusted", "71": "cash_taken", "74": "paid", "75": "paid", "76": "refunded",
    "77": "cash_returned",
}  # fmt: skip
_COLOURS = {
    "declined": "red", "refused_later": "red", "reversed": "orange", "received": "amber", "unresolved": "amber",
    "held": "amber", "settled": "solid",
}  # fmt: skip
_UNRESOLVED = 300  # seconds after which a payment without an answer is called that


class State(NamedTuple):
    """A payment's state: the text's key without "state_", and its colour."""

    name: str
    colour: str


class Words:
    """Words("en")("nav_days") is the text; values fill its {fields}."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._texts = LANGUAGES[self.language]

    def __call__(self, key: str, **values: Any) -> str:
        text = self._texts[key]
        return " ".join(text.format(**values).split()) if values else text

    def get(self, key: str, otherwise: str) -> str:
        """The text of a key that the database gives, or `otherwise` if there is none."""
        return self._texts.get(key, otherwise)

    def count(self, count: int) -> str:
        """A number of payments."""
        return self("payments_count_one") if count == 1 else self("payments_count", count=f"{count:,}")


def money(minor: int, currency: str = "CNY") -> str:
    """An amount in minor units as the terminal writes it: -¥1,234.56; in another currency -EUR 1,234.56."""
    sign = "¥" if currency == "CNY" else f"{currency} "
    return f"{'-' if minor < 0 else ''}{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02}"


def time(at: str | None) -> str:
    """ISO time (UTC) as local time of the host, to the second."""
    return _local(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def minute(at: str | None) -> str:
    """ISO time (UTC) as local time of the host, to the minute."""
    return _local(at).strftime("%Y-%m-%d %H:%M") if at else ""


def number_time(number: int) -> str:
    """When a number (store/numbers.py) was given, as local time of the host, to the minute."""
    return datetime.datetime.fromtimestamp(numbers.at(number)).strftime("%Y-%m-%d %H:%M")


def state(row: Row[Any]) -> State:
    """What became of a payment. `row`: of queries/payments.py, with the state of its batch."""
    if row.state == "APPROVED":
        if row.quarantined:
            return State("held", "amber")
        if row.batch_state == "closed" and row.worth:
            return State("settled", "solid")
        return State(_APPROVED.get(row.type, "approved"), "green")
    if payments.is_refused_later(row):
        name = "refused_later"
    elif row.state == "RECEIVED" and row.number < numbers.before(_UNRESOLVED):
        name = "unresolved"
    else:
        name = row.state.lower()
    return State(name, _COLOURS[name])


def card(row: Row[Any]) -> str:
    """A card as first six and last four digits; "" for codes and cash."""
    return f"{row.first6[:4]} {row.first6[4:]}•• •••• {row.last4}" if row.first6 != "000000" else ""


def _local(at: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(at)
    return found.astimezone() if found.tzinfo else found
