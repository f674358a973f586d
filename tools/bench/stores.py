# SPDX-License-Identifier: MIT
"""Flash figures: our journal and keyring, and littlefs at the same work, all on one chip model in one run."""

from typing import Any

from tools import mac
from tools.bench import instructions, model
from tools.bench.inside import HERE, ask
from tools.host.keys import TEST_BDK
from tools.provision.device import initial_key_block

_SECRET = bytes(range(32))
_KEY_ID = bytes.fromhex("1234567890123456")
_PAYMENTS = 1000
_WINDOWS = 1024  # payments, sixteen windows of 64
_KEYS = 8192  # payments, some blocks of keys
_TURNS = 16  # counted at a time
_DEPTHS = (0, 3000)  # pending payments at boot


def journal() -> dict[str, float]:
    """Programs, bytes and erases of the journal, one mark a payment and one watermark a window; what boot reads."""
    each = ask("journal.py", "trade", str(_PAYMENTS), "1")
    windows = ask("journal.py", "trade", str(_WINDOWS), "64")
    figures = {
        "journal_programs_per_accept": each["pay_programs"] / _PAYMENTS,
        "journal_programs_per_payment": each["programs"] / _PAYMENTS,
        "journal_programs_per_payment_watermark": windows["programs"] / _WINDOWS,
        "journal_erases_on_pay_path": each["pay_erases"] + windows["pay_erases"],
        "journal_bytes_per_payment": each["bytes"] / _PAYMENTS,
        "journal_bytes_per_payment_watermark": windows["bytes"] / _WINDOWS,
        "journal_erases_per_1000": each["erases"] * 1000 / _PAYMENTS,
        "journal_erases_per_1000_watermark": windows["erases"] * 1000 / _WINDOWS,
    }
    counts = seal()
    worst = model.flash_ms(each["worst_programs"], each["worst_erases"])
    figures |= model.parts("journal_worst_pay", worst, counts.get("seal_instructions"))
    for depth in _DEPTHS:
        read = ask("journal.py", "boot", str(depth))
        figures[f"journal_ready_read_bytes_{depth}"] = read["mount"] + read["prepare"]
        figures[f"journal_marks_read_bytes_{depth}"] = read["marks"]
    return figures | counts


def keyring() -> dict[str, float]:
    """What key and number reservations cost; they happen when the till is idle."""
    told = ask("keyring.py", str(_KEYS), *_key_arguments())
    return {
        "keyring_erases_per_1000": told["erases"] * 1000 / _KEYS,
        "keyring_bytes_per_payment": told["bytes"] / _KEYS,
        "keyring_ready_read_bytes": told["ready"],
    }


def littlefs() -> dict[str, float]:
    """The rival, as it comes and tuned."""
    figures: dict[str, float] = {}
    for name, options in (("w2", "plain"), ("tuned", "tuned")):
        told = ask("littlefs.py", str(_PAYMENTS), options)
        figures |= _rival(f"littlefs_{name}", told)
    return figures


def _rival(name: str, told: dict[str, Any]) -> dict[str, float]:
    return {
        f"{name}_programs_per_accept": told["pay_programs"] / _PAYMENTS,
        f"{name}_programs_per_payment": told["programs"] / _PAYMENTS,
        f"{name}_bytes_per_payment": told["bytes"] / _PAYMENTS,
        f"{name}_erases_per_1000": told["erases"] * 1000 / _PAYMENTS,
        **model.parts(f"{name}_worst_pay", model.flash_ms(told["worst_programs"], told["worst_erases"]), None),
    }


def seal() -> dict[str, float]:
    """Instructions of one payment sealed, tagged and appended: with ciphers made ahead, and from cold; none without the tools."""
    if not instructions.available():
        return {}
    script, more = HERE / "seal.py", _key_arguments()
    rest, warm, cold = (instructions.per_turn(script, work, _TURNS, *more) for work in ("device", "accept", "cold"))
    memory = instructions.per_turn(script, "memory", _TURNS, *more)
    return {"seal_instructions": round(warm - rest), "seal_instructions_cold": round(cold - memory)}


def _key_arguments() -> tuple[str, str]:
    """The device secret, and an initial key wrapped for it."""
    kbpk = mac.device_key(_SECRET, b"kbpk")
    return _SECRET.hex(), initial_key_block(kbpk, _KEY_ID, TEST_BDK).decode()
