# SPDX-License-Identifier: MIT
"""Test issuer master keys for application cryptograms, by the first six digits of the card number."""

from __future__ import annotations

ISSUER_MASTER_KEYS = {
    "476173": bytes.fromhex("2315208C9110AD402315208C9110AD40"),
    "401200": bytes.fromhex("C1C1D5D50E0E16169898B0B057577676"),
    "411111": bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"),
    "422222": bytes.fromhex("9E15204313F7318ACB79B90BD986AD29"),
    "541333": bytes.fromhex("9E15204313F7318ACB79B90BD986AD29")[::-1],
    "374245": bytes.fromhex("2315208C9110AD402315208C9110AD40")[::-1],
    "621094": bytes.fromhex("4664942FE615FB02E5D57F292AA2B3B6")[::-1],
    "453201": bytes.fromhex("4664942FE615FB02E5D57F292AA2B3B6"),
}


def key_for(pan: str) -> bytes | None:
    """The issuer master key (16 bytes, 2-key TDES) for a card number; None for an unknown issuer."""
    return ISSUER_MASTER_KEYS.get(pan[:6])
