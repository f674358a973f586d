# SPDX-License-Identifier: MIT
"""`make hwtest PORT=`: runs tools/hwtest/device on a board, part by part, and prints the table.

Exit status: 0 if nothing failed or is absent, 1 if something is, 2 if the board could not be tested.
"""

import select
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from tools.hwtest.console import Console, Gone, Late, Refused
from tools.hwtest.rows import Row, message, plain, table

DEVICE = Path(__file__).resolve().parent / "device"
PARTS = ("board", "flash", "display", "keypad", "reader", "scanner", "printer", "buzzer", "wifi")
LABELS = ("journal", "keyring", "settings", "cards")
_START_S = 15.0  # for a part to load and report its first test
_GRACE_S = 5.0  # above the limit of a test, which the board keeps itself
_LONGEST_S = 660.0  # a limit that a test may have
_ANSWER_S = 60.0  # for a yes or a no

Answer = Callable[[str], bool | None]


class Run:
    """One run over a console. `answer(question)`: yes, no, or None if nobody answers. `tell`: shows a line at once."""

    def __init__(
        self, console: Console, options: dict[str, object], answer: Answer, tell: Callable[[str], None]
    ) -> None:
        self.rows: list[Row] = []
        self.facts: dict[str, str] = {}
        self._console = console
        self._answer = answer
        self._tell = tell
        self._until = 0.0
        self._doing: tuple[str, str] | None = None
        self._question = ""
        self._common = (DEVICE / "common.py").read_text(encoding="utf-8") + f"\nOPTIONS.update({options!r})\n"

    def part(self, name: str) -> None:
        """Run one part. A traceback or a hang becomes a row. Raises Gone."""
        self._until = time.monotonic() + _START_S
        self._doing = None
        source = self._common + (DEVICE / f"{name}.py").read_text(encoding="utf-8")
        try:
            fault = self._console.run(source, self._line, lambda: self._until)
        except Late:
            self._failed(name, "hung; interrupted")
        else:
            if fault:
                self._failed(name, fault.splitlines()[-1])

    def _failed(self, part: str, note: str) -> None:
        part, test = self._doing or (part, "start")
        self._add(Row(part, test, "FAIL", -1, note))

    def gone(self, part: str, why: str, later: tuple[str, ...]) -> None:
        """The board went away during `part`: rows for it and for the parts that were not run."""
        self._failed(part, f"the board went away: {why}; check cable, supply and console output")
        for name in later:
            self._add(Row(name, "all", "skip", -1, "not run"))

    def _line(self, line: str) -> None:
        found = message(line)
        if found is None:
            return
        kind, values = found[0], found[1:]
        if kind == "begin":
            self._doing = (values[0], values[1])
            self._until = time.monotonic() + min(values[2] / 1000, _LONGEST_S) + _GRACE_S
        elif kind == "do":
            self._tell(">> " + plain(values[0]))
        elif kind == "fact":
            self.facts[values[0]] = values[1]
        elif kind == "question":
            self._question = values[0]
        else:
            self._add(self._judged(Row(*values)))
            self._doing = None
            self._until = time.monotonic() + _START_S

    def _judged(self, row: Row) -> Row:
        """The row after the person's answer, if it has a question."""
        question, self._question = self._question, ""
        if question and row.result == "pass":
            seen = self._answer(plain(question))
            if seen is None:
                row.note = f"{row.note} (nobody looked)".strip()
            elif not seen:
                row.result, row.note = "FAIL", "the person says no: " + question
        return row

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        self._tell(f"{plain(row.part)}, {plain(row.test)}: {row.result} {plain(row.note)}".rstrip())


def _ask(question: str) -> bool | None:
    """Ask at this machine. None without an answer in time."""
    click.echo(f">> {question} [y/n] ", nl=False, err=True)
    if not select.select([sys.stdin], [], [], _ANSWER_S)[0]:
        click.echo(err=True)
        return None
    return {"y": True, "n": False}.get(sys.stdin.readline().strip().lower()[:1])


@click.command(
    help="Test the parts of the board at PORT and print a table. The board must be free: see docs/hardware.md."
)
@click.option("--port", required=True, help="serial port of the board, such as /dev/ttyACM0")
@click.option("--unattended", is_flag=True, help="nobody is at the board: skip what needs a person")
@click.option("--seconds", type=click.IntRange(1, 600), default=20, help="for a person to press a key, hold a card ...")
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="only this part (may be given again)")
@click.option(
    "--erase-blank", type=click.Choice(LABELS), help="erase and program one sector of this partition, if blank"
)
def main(port: str, unattended: bool, seconds: int, parts: tuple[str, ...], erase_blank: str | None) -> None:
    if not port:
        raise click.UsageError("which port? make hwtest PORT=/dev/ttyACM0")
    chosen = parts or PARTS
    options: dict[str, object] = {"unattended": unattended, "seconds": seconds, "erase": erase_blank or ""}
    try:
        console = Console(port)
    except Refused as refused:
        click.echo(f"hwtest: {refused}", err=True)
        sys.exit(2)
    run = Run(console, options, (lambda _: None) if unattended else _ask, lambda line: click.echo(line, err=True))
    try:
        for index, name in enumerate(chosen):
            try:
                run.part(name)
            except Gone as gone:
                run.gone(name, str(gone), chosen[index + 1 :])
                break
    finally:
        console.close(reset=True)
    click.echo(table(run.facts, run.rows))
    if not run.facts and not any(row.result == "pass" for row in run.rows):
        sys.exit(2)
    sys.exit(int(any(row.result in ("FAIL", "absent") for row in run.rows)))


if __name__ == "__main__":
    main()
