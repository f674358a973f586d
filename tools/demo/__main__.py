# SPDX-License-Identifier: MIT
"""`make demo OUT=dir [CUT=k]`: plays the script and exits with 0 only if till, journal and ledger agree to the cent."""

import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import click

from tools.cards import catalogue
from tools.demo.record import Recorder
from tools.demo.script import CARDS, Script
from tools.host.folder_lock import Taken, claim, clear
from tools.host.keys.host_keys import TEST_BDK
from tools.journal import image
from tools.provision.device import Terminal
from tools.whole_system import WholeSystem
from tools.world import interpreter

_TEAR = "prefix:112"  # the record's header is written, its seal is not


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--cut", default=1, show_default=True, help="Cut the power at this flash operation of the fourth sale; 0 = no cut."
)
@click.option(
    "--tear", default=_TEAR, show_default=True, help="What that operation leaves behind (boards/unix/flashchip.py)."
)
def main(out: Path, cut: int, tear: str) -> None:
    """Play the demo into OUT."""
    interpreter.require()
    try:
        with claim(out):
            summary = perform(out, cut, tear)
    except Taken as taken:
        raise click.ClickException(str(taken)) from None
    for name, value in summary.items():
        click.echo(f"{name:18} {value}")
    click.echo(f"{'artifacts':18} {out}")
    sys.exit(0 if summary["agree"] else 1)


def perform(out: Path, cut: int, tear: str) -> dict[str, object]:
    """Play the script, write its artifacts to `out`, and compare the totals. Returns the content of summary.json."""
    out.mkdir(parents=True, exist_ok=True)
    clear(out)
    with tempfile.TemporaryDirectory(prefix="kassa-demo-") as home:
        system = WholeSystem(Path(home), terminal=Terminal(language="en"))
        with system:
            recorder = Recorder(out, system.world)
            try:
                script = Script(system, recorder)
                script.sign_on()
                script.online_sale()
                script.deferred_sales()
                was_cut = script.fourth_sale(cut, tear)
                reported = script.reported_outcome()
                script.drain()
                shown = script.settle()
                system.world.power_off()
            finally:
                recorder.close()
                _keep(out, system)
        for name in ("host/host.db", "wire.log", "terminal/flash.bin"):
            shutil.copy(Path(home) / name, out)
        journal = image.of(Path(home) / "terminal")
    summary = compare(out, journal, shown)
    summary["cut"] = cut if was_cut else 0
    summary["agree"] = summary["agree"] and was_cut == (cut > 0)
    if cut and not was_cut:
        summary["no_cut"] = f"the sale has {script.operations} flash operations"
    summary["operations"] = script.operations
    summary["reported_outcome"] = reported
    (out / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False))
    return summary


def compare(out: Path, journal: image.Journal, shown: str) -> dict[str, object]:
    """Compare three totals: the terminal's screen, the journal (by an independent reader) and the ledger (by SQL)."""
    states = [(record, journal.state(record)) for record in journal.records.values()]
    settled = [record for record, state in states if state == "settled"]
    device_total = sum(record.amount for record in settled)
    with sqlite3.connect(out / "host.db") as db:
        host_total, host_count = db.execute(
            "SELECT coalesce(sum(amount), 0), count(*) FROM payment WHERE state = 'APPROVED'"
        ).fetchone()
        batch_state = db.execute("SELECT state FROM batch ORDER BY epoch, number LIMIT 1").fetchone()[0]
    till_total = int("".join(letter for letter in shown if letter.isdigit()))
    return {
        "approved_online": sum(record.kind == "INTENT" for record in settled),
        "approved_offline": 0,
        "accepted_deferred": sum(record.kind == "ACCEPTED" for record, _ in states),
        "settled": len(settled),
        "pending": sum(state in ("accepted", "prepared", "reversing") for _, state in states),
        "device_total": device_total,
        "host_total": host_total,
        "till_total": till_total,
        "batch_state": batch_state,
        "damaged_pages": len(journal.damaged),
        "agree": device_total == host_total == till_total and len(settled) == host_count and batch_state == "closed",
    }


def _keep(out: Path, system: WholeSystem) -> None:
    """Save the run's keys and cards, the console, and the host's log."""
    (out / "keys.json").write_text(json.dumps({"bdk": TEST_BDK.hex().upper()}))
    (out / "cards.json").write_text(json.dumps([catalogue.CATALOGUE[name].pan for name in CARDS]))
    (out / "console.log").write_text(system.world.console)
    view = system.host.view()
    lines = [f"{name} {count}" for name, count in sorted(view["counters"].items())]
    lines += [json.dumps(payment, ensure_ascii=False) for payment in view["payments"]]
    lines += [json.dumps(alarm, ensure_ascii=False) for alarm in view["alarms"]]
    (out / "host.log").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
