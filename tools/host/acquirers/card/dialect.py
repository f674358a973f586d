# SPDX-License-Identifier: MIT
"""An acquirer's dialect of ISO 8583, read from a file (dialects/*.toml), checked when the host starts.

[frame] length before each message: "binary" (2 bytes) or "digits" (4), header in hex, longest message in bytes
[encoding] numbers: "bcd" or "ascii"; bitmap: "binary" or "hex". Letters are ASCII, b elements are raw bytes
[elements] in the standard's notation: n, an, z, b; dots count the digits of the length; "left": BCD, left-aligned
[values] what an element holds: text with the names of VALUES in braces; an element whose value is not known is left out
[groups] lists of elements; [request] and [advice]: transactions by name, `types` are values of 60.1 (wire/kinds.py)
[reversal], [sign_on], [echo], [settlement]: `done` are the answers (DE 39) that end it
[codes] and [advice_codes]: DE 39 -> is (yes, no, unknown), ours, words; [timers] ms; [report] the daily file's columns
"""

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.host.acquirers.card.spec import Framing, spec
from tools.host.acquirers.provider import NO, UNKNOWN, YES, Words
from tools.host.errors import SetupError
from tools.host.wire import answers, kinds

FOLDER = Path(__file__).parent / "dialects"
TOTALS = tuple(
    f"{side}{which}_{what}"
    for side in ("credit", "debit")
    for which in ("", "_reversed")
    for what in ("count", "amount")
)
VALUES = {
    *("process", "condition", "function", "amount", "currency", "sent", "local", "stan", "terminal", "merchant", "rrn"),
    *("acquirer", "acquirer_length", "card", "expiry", "sequence", "track2", "track2_equals", "emv", "day"),
    *(f"original_{name}" for name in ("mti", "stan", "sent", "local", "rrn", "auth_code")),
    *TOTALS,
}
_TIMERS = ("connect", "answer", "echo", "retry", "retry_longest")


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of message. `set`: elements with a fixed content. `values`: fixed values, such as `process`.

    `done`: answers that end it, of messages that are no transactions. `codes`: which table its answers are read with.
    """

    name: str
    mti: str
    repeat: str  # "": it is never repeated as such, but sent again as it was
    answer: str
    elements: tuple[str, ...]
    set: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    types: tuple[str, ...] = ()
    proven: bool = False
    is_advice: bool = False

    @property
    def effect(self) -> str:
        """Its effect on the totals, see kinds.KINDS."""
        return kinds.KINDS[self.types[0]].effect


@dataclass(frozen=True, slots=True)
class Meaning:
    """What DE 39 of an answer means. `ours`: DE 39 for the terminal. `duplicate`: it arrived before, nothing else is known."""

    answer: str
    ours: str
    words: Words
    duplicate: bool = False
    sign_on: bool = False


_NOT_UNDERSTOOD = Meaning(UNKNOWN, answers.MALFUNCTION, Words("Answer not understood", "应答无法识别"))


@dataclass(frozen=True, slots=True)
class Report:
    """The acquirer's daily file. `minor`: its amounts are in minor units. `day_form`: as strptime reads it."""

    separator: str
    reference: str
    amount: str
    minor: bool
    fee: str
    day: str
    day_form: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """See above. `timers`: ms by name. `mac_key`: the element that brings the session key; "": there is no MAC."""

    name: str
    framing: Framing
    spec: Mapping[str, Mapping[str, Any]]
    values: Mapping[str, str]
    emv: tuple[str, ...]
    transactions: Mapping[str, Form]
    reversal: Form
    sign_on: Form
    echo: Form
    settlement: Form
    result: tuple[str, str, str]  # element of the settlement's answer; its content if the totals agree; if they differ
    totals: Mapping[str, str]
    match: tuple[str, ...]
    must: tuple[str, ...]
    echoed: tuple[str, ...]
    day: tuple[str, str]
    mac_key: str
    timers: Mapping[str, int]
    codes: Mapping[str, Meaning]
    advice_codes: Mapping[str, Meaning]
    report: Report

    def transaction(self, kind: str, proven: bool = False) -> Form | None:
        """The transaction of a payment: `kind` is its 60.1; `proven`: the card approved it."""
        fitting = [form for form in self.transactions.values() if kind in form.types]
        return next((form for form in fitting if form.proven == proven), fitting[0] if fitting else None)

    def meaning(self, form: Form, code: str) -> Meaning:
        """What an answer's DE 39 means. What is not in the table is unknown."""
        found = self.advice_codes.get(code) if form.is_advice else None
        return (
            found
            or self.codes.get(code)
            or Meaning(UNKNOWN, answers.MALFUNCTION, Words("Answer not understood", "应答无法识别"))
        )


def load(name: str) -> Dialect:
    """A dialect by its name, or by the path of its file. Raises SetupError."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        return _dialect(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"dialect {name}: {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SetupError(f"dialect {name}: {type(error).__name__}: {error}") from None
    except SetupError as error:
        raise SetupError(f"dialect {name}: {error}") from None


def _dialect(found: dict[str, Any]) -> Dialect:
    elements = spec(found["elements"], found["encoding"], found["frame"]["header"])
    groups = {name: tuple(list_) for name, list_ in found["groups"].items()}
    told = {name: _transaction(name, row, groups, True) for name, row in found["advice"].items()}
    asked = {name: _transaction(name, row, groups, False) for name, row in found["request"].items()}
    settlement, answered = found["settlement"], found["answers"]
    meanings = {code: _meaning(code, row) for code, row in found["codes"].items()}
    dialect = Dialect(
        name=found["name"],
        framing=Framing.of(found["frame"]),
        spec=elements,
        values=found["values"],
        emv=tuple(found["emv"]["tags"]),
        transactions={**asked, **told},
        reversal=_form("reversal", found["reversal"]),
        sign_on=_form("sign_on", found["sign_on"]),
        echo=_form("echo", found["echo"]),
        settlement=_form("settlement", settlement),
        result=(settlement["result"], settlement["balanced"], settlement["differs"]),
        totals=settlement["totals"],
        match=tuple(answered["match"]),
        must=tuple(answered["must"]),
        echoed=tuple(answered["echo"]),
        day=(answered["day"]["element"], answered["day"]["form"]),
        mac_key=found.get("mac", {}).get("key", ""),
        timers={name: int(found["timers"][name]) for name in _TIMERS},
        codes=meanings,
        advice_codes={code: _meaning(code, row) for code, row in found.get("advice_codes", {}).items()},
        report=Report(**found["report"]),
    )
    _check(dialect)
    return dialect


def _transaction(name: str, row: dict[str, Any], groups: Mapping[str, tuple[str, ...]], told: bool) -> Form:
    values = {key: row[key] for key in ("process", "condition", "function") if key in row}
    advice = told or row.get("codes") == "advice"
    types = tuple(row["types"])
    if not types or not set(types) <= set(kinds.KINDS):
        raise SetupError(f"{name}: types: values of 60.1 are wanted")
    return Form(
        name, row["mti"], row.get("repeat", ""), row["answer"], groups[row["group"]], {}, values,
        types=types, proven=row.get("proven", False), is_advice=advice,
    )  # fmt: skip


def _form(name: str, row: dict[str, Any]) -> Form:
    more = row.get("set", {}), {}, frozenset(row.get("done", ()))
    return Form(name, row["mti"], row.get("repeat", ""), row["answer"], tuple(row["elements"]), *more)


def _meaning(code: str, row: dict[str, Any]) -> Meaning:
    final = row["ours"] not in answers.NOT_FINAL
    kind = {"yes": YES, "no": NO, "unknown": UNKNOWN}[row["is"]]
    if (kind == YES) != (row["ours"] in answers.YES) or (kind == UNKNOWN) == final or not row["source"]:
        raise SetupError(f"code {code}: `is` and `ours` do not agree, or it has no source")
    return Meaning(
        kind, row["ours"], Words(row["en"], row["zh"]), row.get("duplicate", False), row.get("sign_on", False)
    )


def _check(dialect: Dialect) -> None:
    """What would fail at the first customer. Raises SetupError."""
    forms = (*dialect.transactions.values(), dialect.reversal, dialect.sign_on, dialect.echo, dialect.settlement)
    for form in forms:
        for mti in (form.mti, form.repeat or form.mti, form.answer):
            if not re.fullmatch("[0-9]{4}", mti):
                raise SetupError(f"{form.name}: {mti!r} is no MTI")
        for element in (*form.elements, *form.set):
            if element not in dialect.spec or element not in form.set and element not in dialect.values:
                raise SetupError(f"{form.name}: element {element} has no form, or no value")
        if not {*dialect.match} <= {*form.elements}:
            raise SetupError(f"{form.name}: answers could not be matched")
    for element, text in dialect.values.items():
        named = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if not named <= VALUES:
            raise SetupError(f"value {element}: {sorted(named - VALUES)[0]} is not known")
    wanted = (*dialect.must, *dialect.echoed, dialect.day[0], dialect.result[0], *dialect.totals.values())
    if missing := [each for each in wanted if each not in dialect.spec]:
        raise SetupError(f"element {missing[0]} has no form")
    if {*dialect.totals} != {*TOTALS}:
        raise SetupError("settlement.totals is not complete")
