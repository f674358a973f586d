# SPDX-License-Identifier: MIT
"""Visa application cryptograms, CVN 10 and 18, computed by pyemv: the card makes them, the issuer checks them."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():  # TDES is "decrepit", and still what payment cards use
    warnings.simplefilter("ignore")
    from pyemv.cvn import VisaCVN10, VisaCVN18

_UNUSED_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")  # secure messaging: no scripts here
_INPUTS = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36")


def version(issuer_data: bytes) -> int:
    """The cryptogram version number in issuer application data (9F10), 0 when there is none."""
    return issuer_data[2] if len(issuer_data) >= 7 and issuer_data[0] == 6 else 0


def compute(tags: dict[str, bytes], pan: str, sequence: str, master_key: bytes) -> bytes:
    """The 8-byte cryptogram over `tags` (hex tag -> value). Raises KeyError: a missing tag, ValueError: another CVN."""
    values = {f"tag_{tag.lower()}": tags[tag] for tag in _INPUTS}
    issuer_data = tags["9F10"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if version(issuer_data) == 10:
            card = VisaCVN10(master_key, _UNUSED_KEY, _UNUSED_KEY, pan, sequence)
            return card.generate_ac(**values, cvr=issuer_data[3:7])
        if version(issuer_data) == 18:
            card = VisaCVN18(master_key, _UNUSED_KEY, _UNUSED_KEY, pan, sequence)
            return card.generate_ac(**values, tag_9f10=issuer_data)
    raise ValueError("cryptogram version")
