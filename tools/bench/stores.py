# SPDX-License-Identifier: MIT
"""Figures of our journal and keyring: flash operations, bytes read at boot, capacity, wear, heap, instructions."""

from pathlib import Path

from tools.bench import instructions, micropython32, model
from tools.bench.costs import costs, paid, starved, worst_ms
from tools.bench.inside import HERE, ask
from tools.device_key import device_key
from tools.host.keys.host_keys import TEST_BDK
from tools.provision.device import initial_key_block

_SECRET = bytes(range(32))
_KEY_ID = bytes.fromhex("1234567890123456")
_PAYMENTS = "1000"
_WINDOWS = "3840"  # payments: sixty windows of 64, one lap of the ring
_DRAINED = "250", "275"  # payments accepted offline by a till that is never idle; their marks use up the blank sectors
_KEYS = 8192  # payments, enough for several blocks of keys
_TURNS = 15  # records of one sector, so that one sector is opened
_DEPTHS = (0, 3000)  # unsettled payments at boot
_LAPS = "2"
_ENDURANCE = 100_000  # erase cycles of a sector, from datasheets of serial NOR chips


def journal() -> dict[str, float]:
    """All figures of the journal. Figures that need missing tools are left out."""
    figures = trade() | never_idle() | boot() | room() | heap(micropython32.find()) | accept()
    worst, counted = figures["journal_worst_pay_ms"], figures.get("journal_accept_instructions")
    return figures | model.parts("journal_worst_pay", worst, counted)


def trade() -> dict[str, float]:
    """Settlement by one mark per payment, and by one watermark per window; sectors are erased ahead."""
    each = costs("journal", ask("journal.py", "trade", _PAYMENTS, "1"))
    windows = costs("journal", ask("journal.py", "trade", _WINDOWS, "64"))
    watermark = ("journal_programs_per_payment", "journal_bytes_per_payment", "journal_erases_per_1000")
    worse = ("journal_erases_on_pay_path", "journal_worst_pay_ms")
    figures = each | {f"{name}_watermark": windows[name] for name in watermark}
    return figures | {name: max(each[name], windows[name]) for name in worse}


def never_idle() -> dict[str, float]:
    """A till that is never idle, so that it erases while the customer waits."""
    each = ask("journal.py", "starved", _PAYMENTS)
    return {
        "journal_worst_pay_starved_ms": worst_ms(each),
        "journal_starved_pays_per_1000": starved(each) * 1000 / paid(each),
        "journal_worst_pay_starved_drained_ms": worst_ms(ask("journal.py", "drained", *_DRAINED)),
    }


def boot() -> dict[str, float]:
    """Bytes read from power-on until the next payment is accepted, and until every unsettled record is verified."""
    figures: dict[str, float] = {}
    for depth in _DEPTHS:
        read = ask("journal_boot.py", "read", str(depth))
        figures[f"journal_ready_read_bytes_{depth}"] = read["ready"]
        figures[f"journal_recovery_read_bytes_{depth}"] = read["recovery"]
    return figures


def room() -> dict[str, float]:
    """Capacity of a ring of 1 MiB, and the payments of its lifetime."""
    worn = ask("journal.py", "wear", _LAPS)
    return {
        "journal_records_per_mib": ask("journal.py", "fill")["records"],
        "journal_wear_spread_erases": worn["most_worn"] - worn["least_worn"],
        "journal_lifetime_payments": paid(worn) * _ENDURANCE // worn["most_worn"],
    }


def heap(micropython: str | Path | None) -> dict[str, float]:
    """Heap of a mounted journal on a 32-bit interpreter: empty, and the increase with unsettled payments."""
    if micropython is None:
        return {}
    empty, full = (ask("journal_boot.py", "heap", str(depth), micropython=micropython)["bytes"] for depth in _DEPTHS)
    return {"journal_heap_0_kib": empty / 1024, "journal_heap_3000_kib": (full - empty) / 1024}


def accept() -> dict[str, float]:
    """Instructions to seal, tag and append one payment, with ciphers prepared ahead and without."""
    if not instructions.available():
        return {}
    script, more = HERE / "seal.py", key_arguments()
    rest, warm, cold = (instructions.per_turn(script, work, _TURNS, *more) for work in ("device", "accept", "cold"))
    memory = instructions.per_turn(script, "memory", _TURNS, *more)
    return {"journal_accept_instructions": round(warm - rest), "journal_accept_cold_instructions": round(cold - memory)}


def keyring() -> dict[str, float]:
    """Costs of reserving keys and numbers, which the till does while idle."""
    counted = ask("keyring.py", str(_KEYS), *key_arguments())
    return {
        "keyring_erases_per_1000": counted["erases"] * 1000 / _KEYS,
        "keyring_bytes_per_payment": counted["bytes"] / _KEYS,
        "keyring_ready_read_bytes": counted["ready"],
    }


def key_arguments() -> tuple[str, str]:
    """The device secret in hex, and an initial key block wrapped for it."""
    kbpk = device_key(_SECRET, b"kbpk")
    return _SECRET.hex(), initial_key_block(kbpk, _KEY_ID, TEST_BDK).decode()
