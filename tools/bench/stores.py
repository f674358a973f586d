# SPDX-License-Identifier: MIT
"""Figures of our journal and keyring: flash operations, bytes read at boot, room, wear, heap and instructions."""

from pathlib import Path

from tools import mac
from tools.bench import instructions, micropython32, model
from tools.bench.costs import costs, paid, starved, worst_ms
from tools.bench.inside import HERE, ask
from tools.host.keys import TEST_BDK
from tools.provision.device import initial_key_block

_SECRET = bytes(range(32))
_KEY_ID = bytes.fromhex("1234567890123456")
_PAYMENTS = "1000"
_WINDOWS = "3840"  # payments, sixty windows of 64: one lap of the ring
_DRAINED = "250", "275"  # payments taken without network by a till that is never idle: their marks use up what is blank
_KEYS = 8192  # payments, some blocks of keys
_TURNS = 15  # a sector of records: one sector opened
_DEPTHS = (0, 3000)  # unsettled payments at boot
_LAPS = "2"
_ENDURANCE = 100_000  # erases a sector lasts, by the datasheets of serial NOR chips


def journal() -> dict[str, float]:
    """Everything about the journal; what needs tools this machine does not have is left out."""
    figures = trade() | never_idle() | boot() | room() | heap(micropython32.find()) | accept()
    worst, counted = figures["journal_worst_pay_ms"], figures.get("journal_accept_instructions")
    return figures | model.parts("journal_worst_pay", worst, counted)


def trade() -> dict[str, float]:
    """One mark a payment, and one watermark a window; blank sectors are made ahead."""
    each = costs("journal", ask("journal.py", "trade", _PAYMENTS, "1"))
    windows = costs("journal", ask("journal.py", "trade", _WINDOWS, "64"))
    watermark = ("journal_programs_per_payment", "journal_bytes_per_payment", "journal_erases_per_1000")
    worse = ("journal_erases_on_pay_path", "journal_worst_pay_ms")
    figures = each | {f"{name}_watermark": windows[name] for name in watermark}
    return figures | {name: max(each[name], windows[name]) for name in worse}


def never_idle() -> dict[str, float]:
    """A till that is never idle erases while the customer waits."""
    each = ask("journal.py", "starved", _PAYMENTS)
    return {
        "journal_worst_pay_starved_ms": worst_ms(each),
        "journal_starved_pays_per_1000": starved(each) * 1000 / paid(each),
        "journal_worst_pay_starved_drained_ms": worst_ms(ask("journal.py", "drained", *_DRAINED)),
    }


def boot() -> dict[str, float]:
    """What is read from power-on until the next payment can be taken, and until every unsettled record was verified."""
    figures: dict[str, float] = {}
    for depth in _DEPTHS:
        read = ask("journal_boot.py", "read", str(depth))
        figures[f"journal_ready_read_bytes_{depth}"] = read["ready"]
        figures[f"journal_recovery_read_bytes_{depth}"] = read["recovery"]
    return figures


def room() -> dict[str, float]:
    """How much a ring of 1 MiB takes, at one time and in its life."""
    worn = ask("journal.py", "wear", _LAPS)
    return {
        "journal_records_per_mib": ask("journal.py", "fill")["records"],
        "journal_wear_spread_erases": worn["most_worn"] - worn["least_worn"],
        "journal_lifetime_payments": paid(worn) * _ENDURANCE // worn["most_worn"],
    }


def heap(micropython: str | Path | None) -> dict[str, float]:
    """What a mounted journal keeps, empty, and how much more with unsettled payments, on a 32-bit interpreter."""
    if micropython is None:
        return {}
    empty, full = (ask("journal_boot.py", "heap", str(depth), micropython=micropython)["bytes"] for depth in _DEPTHS)
    return {"journal_heap_0_kib": empty / 1024, "journal_heap_3000_kib": (full - empty) / 1024}


def accept() -> dict[str, float]:
    """Instructions of one payment sealed, tagged and appended: with ciphers made ahead, and from cold."""
    if not instructions.available():
        return {}
    script, more = HERE / "seal.py", key_arguments()
    rest, warm, cold = (instructions.per_turn(script, work, _TURNS, *more) for work in ("device", "accept", "cold"))
    memory = instructions.per_turn(script, "memory", _TURNS, *more)
    return {"journal_accept_instructions": round(warm - rest), "journal_accept_cold_instructions": round(cold - memory)}


def keyring() -> dict[str, float]:
    """What key and number reservations cost; they happen when the till is idle."""
    told = ask("keyring.py", str(_KEYS), *key_arguments())
    return {
        "keyring_erases_per_1000": told["erases"] * 1000 / _KEYS,
        "keyring_bytes_per_payment": told["bytes"] / _KEYS,
        "keyring_ready_read_bytes": told["ready"],
    }


def key_arguments() -> tuple[str, str]:
    """The device secret, and an initial key wrapped for it."""
    kbpk = mac.device_key(_SECRET, b"kbpk")
    return _SECRET.hex(), initial_key_block(kbpk, _KEY_ID, TEST_BDK).decode()
