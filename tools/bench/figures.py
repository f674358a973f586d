# SPDX-License-Identifier: MIT
"""The figures' output format (`name value unit`, one per line), their units (derived from the name) and budgets."""

_UNITS = (
    ("_kib", "KiB"),
    ("_ms", "ms"),
    ("bytes", "B"),
    ("erases", "erases"),
    ("programs", "programs"),
    ("instructions", "instructions"),
    ("apdus", "APDUs"),
    ("records_per_mib", "records"),
    ("starved_pays", "payments"),
    ("lifetime_payments", "payments"),
    ("round_trips", "round trips"),
    ("handshakes", "handshakes"),
    ("commits_per_s", "commits/s"),
    ("_ratio", "ratio"),
    ("host_rate_", "ratio"),
    ("_per_s_", "payments/s"),
    ("upload_per_s", "records/s"),
)

AT_MOST = {
    "journal_programs_per_accept": 1.1,
    "journal_erases_on_pay_path": 0,
    "journal_bytes_per_payment": 292,
    "journal_bytes_per_payment_watermark": 260,
    "journal_erases_per_1000": 75,
    "journal_erases_per_1000_watermark": 67,
    "journal_worst_pay_ms": 1.4,
    "journal_worst_pay_starved_ms": 46.5,
    "journal_ready_read_bytes_0": 16_000,
    "journal_ready_read_bytes_3000": 16_000,
    "journal_recovery_read_bytes_0": 16_000,
    "journal_recovery_read_bytes_3000": 16_000 + 288 * 3000,
    "journal_heap_3000_kib": 2,
    "journal_wear_spread_erases": 1,
    "journal_accept_instructions": 100_000,
    "journal_accept_cold_instructions": 260_000,
    "tap_field_ms_qvsdc": 250,
    "tap_field_ms_mchip": 400,
    "tap_heap_kib": 12,
    "keyring_erases_per_1000": 2,
    "keyring_bytes_per_payment": 4,
    "drain_round_trips_per_1000": 20,
    "drain_handshakes": 1,
    "boot_ready_ms": 1000,
    "key_echo_ms": 50,
}
AT_LEAST = {
    "journal_records_per_mib": 3700,
    "drain_handshakes": 1,
    "drain_per_s_50ms": 600,
    "host_pg_ratio": 0.5,
    "host_rate_at_1e6": 0.8,
    "host_rate_with_pages": 0.8,
}


def unit(name: str) -> str:
    """The unit of the figure with this name. Raises ValueError if the name has none."""
    for part, word in _UNITS:
        if part in name:
            return word
    raise ValueError(f"no unit for {name}")


def budget(name: str) -> str:
    """The budget as text: "<= 1.4", ">= 600", a plain number for an exact value, or "" without a budget."""
    if name in AT_LEAST and AT_MOST.get(name) == AT_LEAST[name]:
        return f"{AT_LEAST[name]:,}"
    if name in AT_LEAST:
        return f">= {AT_LEAST[name]:,}"
    if name in AT_MOST:
        return f"<= {AT_MOST[name]:,}" if AT_MOST[name] else "0"
    return ""


def holds(name: str, value: float) -> bool:
    """Whether a figure is within its budget."""
    return AT_LEAST.get(name, value) <= value <= AT_MOST.get(name, value)


def show(figures: dict[str, float]) -> None:
    """Print the figures, one per line."""
    for name, value in figures.items():
        print(name, f"{value:.10g}", unit(name))
