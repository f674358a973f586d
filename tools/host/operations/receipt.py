# SPDX-License-Identifier: MIT
"""What an operator's request came to, as text to print and keep. Shows no card data."""

from typing import Any

_WIDTH = 64


def of_hand_in(report: dict[str, Any]) -> str:
    """The receipt of a hand-in; see hand_in.run."""
    lines = [*_head(f"HAND-IN {report['number']}", report), f"{report['records']} records, newest {report['newest']}"]
    if report["note"]:
        lines.append(report["note"])
    for what, kinds in report["sums"].items():
        lines += ["", what, *_rows(kinds)]
    if report["lines"]:
        lines.append("")
    for one in report["lines"]:
        lines.append(f"record {one['sequence']}, {one['kind']}, {_money(one['amount'])}: {one['what']}")
        lines += [f"    {one['why']}"] if one["why"] else []
    lines += [f"and {report['more']} more"] if report["more"] else []
    lines += ["", *_missing(report["missing"])] if report["missing"] else []
    lines += ["", *(f"! {one}" for one in report["remarks"])] if report["remarks"] else []
    return "\n".join(
        [*lines, "", "everything has its final answer" if report["complete"] else "NOT COMPLETE: see above"]
    )


def of_closing(report: dict[str, Any]) -> str:
    """The receipt of a batch closed by an operator; see close_batch.run."""
    lines = _head("BATCH CLOSED BY AN OPERATOR", report)
    for one in report["batches"]:
        lines += ["", f"batch {one['batch']}, epoch {one['epoch']}", *_rows(one["kinds"])]
        debit = f"debit {one['debit_count']}, {_money(one['debit_amount'])}"
        lines.append(f"  {debit}; credit {one['credit_count']}, {_money(one['credit_amount'])}")
    lines += ["", *_missing(report["missing"])] if report["missing"] else []
    if report["moved"]:
        lines += ["", "no final answer, moved to the next batch:"]
        lines += [f"  record {one['sequence']}, {_money(one['amount'])}" for one in report["moved"]]
    return "\n".join([*lines, "", f"next: epoch {report['next']['epoch']}, batch {report['next']['batch']}"])


def _head(title: str, report: dict[str, Any]) -> list[str]:
    at = report["at"][:19].replace("T", " ")
    return [f"{title:{_WIDTH - 23}}{at} UTC", f"terminal {report['terminal']}, merchant {report['merchant']}",
            f"by {report['by']}"]  # fmt: skip


def _rows(kinds: dict[str, list[int]]) -> list[str]:
    return [f"  {name:34}{count:8}{_money(amount):>20}" for name, (count, amount) in kinds.items()]


def _missing(ranges: list[Any]) -> list[str]:
    words = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)
    return [f"missing, neither here nor handed in: {words}"]


def _money(amount: int) -> str:
    sign, whole = "-" if amount < 0 else "", abs(amount)
    return f"{sign}{whole // 100:,}.{whole % 100:02}"
