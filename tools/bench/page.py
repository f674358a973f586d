# SPDX-License-Identifier: MIT
"""Writes the figures into docs/performance.md, between two marker lines: comparison with the rivals, then the rest."""

import sys
from pathlib import Path

from tools.bench.figures import budget, holds, unit
from tools.bench.rivals import NAMES
from tools.world.power import ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- figures: written by `make bench` -->"
END = "<!-- end of figures -->"
_HEADS = {"littlefs": "littlefs", "littlefs_tuned": "littlefs, tuned", "fat": "FAT", "json": "JSON file"}

COMPARED = (
    "programs_per_accept",
    "programs_per_payment",
    "erases_on_pay_path",
    "bytes_per_payment",
    "erases_per_1000",
    "worst_pay_ms",
    "ready_read_bytes_0",
    "ready_read_bytes_3000",
    "recovery_read_bytes_0",
    "recovery_read_bytes_3000",
    "records_per_mib",
)
OURS = (
    "journal_programs_per_payment_watermark",
    "journal_bytes_per_payment_watermark",
    "journal_erases_per_1000_watermark",
    "journal_worst_pay_cpu_ms",
    "journal_worst_pay_total_ms",
    "journal_worst_pay_starved_ms",
    "journal_starved_pays_per_1000",
    "journal_worst_pay_starved_drained_ms",
    "journal_wear_spread_erases",
    "journal_lifetime_payments",
    "journal_heap_0_kib",
    "journal_heap_3000_kib",
    "journal_accept_instructions",
    "journal_accept_cold_instructions",
    "keyring_erases_per_1000",
    "keyring_bytes_per_payment",
    "keyring_ready_read_bytes",
    "tap_apdus_qvsdc",
    "tap_bytes_qvsdc",
    "tap_apdus_mchip",
    "tap_bytes_mchip",
    "tap_field_ms_qvsdc",
    "tap_field_ms_mchip",
    "tap_heap_kib",
    "oda_e3_instructions",
    "oda_e65537_instructions",
    "wire_bytes_per_payment",
    "wire_answer_bytes_per_payment",
    "terminal_programs_per_accept",
    "drain_round_trips_per_1000",
    "drain_handshakes",
    "drain_per_s_50ms",
    "drain_per_s_sequential",
    "batch_upload_per_s",
    "drain_instructions_per_payment",
    "drain_garbage_bytes_per_payment",
    "wire_bytes_per_settled",
    "wire_tls_bytes_per_settled",
    "key_hold_ms_tls",
    "key_hold_instructions_tls",
    "tls_handshake_instructions",
    "key_echo_ms",
    "key_echo_cpu_ms",
    "key_echo_display_ms",
    "key_echo_instructions",
    "boot_ready_ms",
    "boot_cpu_ms",
    "boot_display_ms",
    "boot_wait_ms",
    "boot_flash_ms",
    "boot_instructions",
    "host_payments_per_s_sqlite",
    "host_payments_per_s_postgres",
    "pg_commits_per_s",
    "host_pg_ratio",
    "host_rate_at_1e6",
    "host_rate_with_pages",
    "host_answer_p99_locked_ms",
)
_COLUMNS = ("journal", *NAMES)
ALL = (*(f"{column}_{stem}" for stem in COMPARED for column in _COLUMNS), *OURS)
_HELD = 3000  # unsettled records in the rows whose name ends in it
# Figures that vary between runs: instruction counts by some tens (they depend on heap addresses), lengths of signatures
# and TLS records a little, and real time with the load of the machine.
NEARLY = (
    *("_instructions", "_cpu_ms", "_total_ms", "_instructions_per_payment"),
    *("_per_s_sqlite", "_per_s_postgres", "_commits_per_s", "_ratio", "_1e6", "_with_pages", "_locked_ms"),
    *(
        "key_echo_ms",
        "boot_ready_ms",
        "boot_wait_ms",
        "_tls",
        "_tls_bytes_per_settled",
        "_per_s_50ms",
        "_per_s_sequential",
    ),
)


def write(figures: dict[str, float], interpreter: str, page: Path = PAGE) -> None:
    """Write the figures into the page. If any is missing, leave the page alone and say so on standard error."""
    missing = [name for name in ALL if name not in figures]
    if missing:
        print(f"{page.name} is unchanged: not measured here: {', '.join(missing)}", file=sys.stderr)
        return
    before, rest = page.read_text().split(BEGIN)
    page.write_text(before + block(figures, interpreter) + rest.split(END)[1])


def block(figures: dict[str, float], interpreter: str) -> str:
    """Both tables, with their marker lines. Raises ValueError for a figure that belongs to neither table."""
    strangers = sorted(set(figures) - set(ALL))
    if strangers:
        raise ValueError(f"figures not listed in page.ALL: {', '.join(strangers)}")
    heads = " | ".join(f"{_HEADS[name]} `{name}_`" for name in NAMES)
    lines = [BEGIN, f"| figure | unit | budget | ours `journal_` | {heads} |", "|---" * (len(NAMES) + 4) + "|"]
    lines += [_compared(figures, stem) for stem in COMPARED]
    lines += ["", "| figure | unit | budget | ours |", "|---|---|---|---|"]
    lines += [f"{_start(figures, name)} {_rounded(name, figures[name])} |" for name in OURS]
    return "\n".join([*lines, "", f"Measured with MicroPython {interpreter}.", END])


def _compared(figures: dict[str, float], stem: str) -> str:
    ours = figures[f"journal_{stem}"]
    cells = [_number(ours)]
    for name in NAMES:
        value, held = figures[f"{name}_{stem}"], figures[f"{name}_records_per_mib"]
        at = f" at {_number(held)}" if stem.endswith(f"_{_HELD}") and held < _HELD else ""
        cells.append(_number(value) + at + (f" ({_ratio(value / ours)})" if ours else ""))
    return f"{_start(figures, f'journal_{stem}')} {' | '.join(cells)} |"


def _start(figures: dict[str, float], name: str) -> str:
    """The first three cells of a row."""
    verdict = "" if holds(name, figures[name]) else " (not met)"
    return f"| `{name}` | {unit(name)} | {budget(name)}{verdict} |"


def _rounded(name: str, value: float) -> str:
    """Figures that vary between runs are shown with three digits."""
    return _number(float(f"{value:.3g}") if name.endswith(NEARLY) else value)


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _ratio(value: float) -> str:
    return f"{value:,.0f}x" if value >= 10 else f"{value:.2g}x"
