# SPDX-License-Identifier: MIT
"""A survey of a journal as text or JSON. Shows at most the first six and last four digits of a card number."""

from datetime import datetime, timedelta
from typing import Any

import click

from tools.host.wire import kinds
from tools.journal.cells import Mark, Record
from tools.journal.survey import Damage, Survey, money

_EPOCH = datetime(2000, 1, 1)
_CASH = (kinds.CASH, kinds.CASH_REFUND)
_NO_CARD = "000000"
_RECORDS = (">seq", ">batch", "<STAN", ">amount", "<card", "<time", "<kind", "<state", "<chain", ">KSN")
_MARKS = (">serial", ">page", ">no", "<mark", "<about", "<code", ">pending", ">sum")


def facts(survey: Survey) -> dict[str, Any]:
    """The data of the heading, with amounts in minor units."""
    serials, records, state = survey.serials.values(), survey.journal.records, survey.standing
    return {
        "bytes": survey.size,
        "sectors": len(survey.sectors),
        "written": len(serials),
        "serials": [min(serials), max(serials)] if serials else None,
        "format": state.format,
        "epoch": state.epoch,
        "batch": state.batch,
        "records": len(records),
        "sequences": [min(records), max(records)] if records else None,
        "watermark": survey.journal.watermark,
        "closed": survey.journal.closed,
        "pending": {"count": state.count, "sum": state.sum},
        "tags_checked": survey.key is not None,
    }


def as_json(survey: Survey, marks: bool) -> dict[str, Any]:
    """The whole survey as one object for json.dumps."""
    records = [_record(survey, one) for _, one in sorted(survey.journal.records.items())]
    damage = [{"sector": one.sector, "page": one.page, "what": one.what} for one in survey.damage]
    shown = {"marks": [_mark(one) for one in survey.journal.written]} if marks else {}
    return {**facts(survey), "records": records, **shown, "damage": damage}


def as_text(survey: Survey, marks: bool) -> str:
    """Heading, records, damage and, if `marks` is set, the marks."""
    if survey.blank:
        return f"journal  {len(survey.sectors)} sectors, {survey.size} bytes, all blank: a new one"
    lines = _heading(facts(survey))
    if survey.journal.records:
        lines += ["", *_table(_RECORDS, _record_rows(survey))]
    if marks and survey.journal.written:
        lines += ["", *_table(_MARKS, [_mark_row(one) for one in survey.journal.written])]
    if not survey.damage:
        return "\n".join([*lines, "", click.style("nothing wrong was found", fg="green")])
    lines += ["", click.style(f"damage: {len(survey.damage)}", fg="red", bold=True)]
    return "\n".join([*lines, *(f"  {_place(one):20} {one.what}" for one in survey.damage)])


def _heading(found: dict[str, Any]) -> list[str]:
    pending = found["pending"]
    size = f"{found['sectors']} sectors, {found['bytes']} bytes, {found['written']} in use"
    final = f"final up to {found['watermark']}, closed up to {found['closed']}"
    return [
        f"journal  {size}, serials {_span(found['serials'])}, format {found['format']}",
        f"tags     {'every one checked' if found['tags_checked'] else 'not checked: that takes the device secret'}",
        f"open     epoch {found['epoch']}, batch {found['batch']}",
        f"records  {found['records']}, sequences {_span(found['sequences'])}, {final}",
        f"pending  {pending['count']}, {money(pending['sum'])}",
    ]


def _span(ends: list[int] | None) -> str:
    return f"{ends[0]}..{ends[1]}" if ends else "none"


def _place(damage: Damage) -> str:
    page = "" if damage.page is None else f", page {damage.page}"
    return "the journal" if damage.sector is None else f"sector {damage.sector}{page}"


def _table(names: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    """A table with aligned columns. Each name starts with its alignment, < or >. A journal may have 60,000 rows."""
    widths = [max(map(len, column)) for column in zip([name[1:] for name in names], *rows, strict=True)]
    form = " ".join(f"{{:{name[0]}{width}}}" for name, width in zip(names, widths, strict=True))
    head = click.style(form.format(*(name[1:] for name in names)), bold=True)
    lines = (form.format(*row).rstrip() for row in rows)
    return [head, *(click.style(line, fg="red") if " broken " in line else line for line in lines)]


def _record_rows(survey: Survey) -> list[list[str]]:
    rows = []
    for sequence, one in sorted(survey.journal.records.items()):
        row = _record(survey, one)
        amount = money(one.amount, one.currency)
        clear = [str(sequence), str(one.batch), row["stan"], amount, row["card"], row["time"].replace("T", " ")]
        rows.append([*clear, row["kind"], row["state"], row["chain"], str(one.counter)])
    return rows


def _mark_row(one: Mark) -> list[str]:
    row = _mark(one)
    abouts = row["about"]
    about = f"{abouts[0]}..{abouts[-1]} ({len(abouts)})" if len(abouts) > 1 else "".join(map(str, abouts))
    about = row.get("time", about).replace("T", " ")
    place = [str(one.serial), str(one.place[1]), str(one.number)]
    return [*place, one.kind, about, row["code"], str(one.count), money(one.sum)]


def _paid_with(one: Record) -> str:
    if one.first6 != _NO_CARD:
        return f"{one.first6}******{one.last4}"
    return "cash" if one.type in _CASH else "code"


def _record(survey: Survey, one: Record) -> dict[str, Any]:
    return {
        "sequence": one.sequence,
        "epoch": one.epoch,
        "batch": one.batch,
        "stan": f"{one.stan:06}",
        "amount": one.amount,
        "currency": f"{one.currency:03}",
        "card": _paid_with(one),
        "time": _time(one.time),
        "kind": one.kind.lower(),
        "state": survey.journal.state(one),
        "chain": survey.links[one.sequence],
        "counter": one.counter,
        "uid": one.uid.hex(),
        "sector": one.place[0],
        "page": one.place[1],
    }


def _mark(one: Mark) -> dict[str, Any]:
    """The mark as an object. HEARD is about a time; the code of SEEN holds two page numbers."""
    plain = one.code.isascii() and one.code.isprintable() and one.kind != "SEEN"
    return {
        "serial": one.serial,
        "sector": one.place[0],
        "page": one.place[1],
        "number": one.number,
        "kind": one.kind,
        "about": one.abouts,
        "code": one.code if plain else "",
        **({"time": _time(one.about)} if one.kind == "HEARD" else {}),
        "count": one.count,
        "sum": one.sum,
    }


def _time(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()
