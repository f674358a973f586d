# SPDX-License-Identifier: MIT
"""Application cryptograms, computed by pyemv: cards generate them, the issuer verifies them.

Visa CVN 10 and 18, M/Chip CVN 16, 17, 20 and 21. American Express and UnionPay are test profiles: EMV common session
key derivation over the minimum data and the card verification results.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():  # TDES is "decrepit", but payment cards still use it
    warnings.simplefilter("ignore")
    from pyemv import ac, kd
    from pyemv.cvn import MasterCardCVN16, MasterCardCVN17, MasterCardCVN20, MasterCardCVN21, VisaCVN10, VisaCVN18

_UNUSED_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")  # for secure messaging; scripts are not used
_INPUTS = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36")


_PLAIN = {16: MasterCardCVN16, 20: MasterCardCVN20}
_COUNTED = {17: MasterCardCVN17, 21: MasterCardCVN21}  # these also cover the counters in the issuer application data
_COMMON = 1


def version(issuer_data: bytes) -> int:
    """The cryptogram version number in issuer application data (9F10); 0 if there is none."""
    if len(issuer_data) >= 18 and issuer_data[1] in {*_PLAIN, *_COUNTED}:
        return issuer_data[1]
    return issuer_data[2] if len(issuer_data) >= 7 and issuer_data[0] in (6, 7) else 0


def compute(tags: dict[str, bytes], pan: str, sequence: str, master_key: bytes) -> bytes:
    """The 8-byte cryptogram over `tags` (hex tag -> value). Raises KeyError: missing tag, ValueError: unknown CVN."""
    values = {f"tag_{tag.lower()}": tags[tag] for tag in _INPUTS}
    issuer_data = tags["9F10"]
    number = version(issuer_data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keys = (master_key, _UNUSED_KEY, _UNUSED_KEY, pan, sequence)
        if number == 10:
            return VisaCVN10(*keys).generate_ac(**values, cvr=issuer_data[3:7])
        if number == 18:
            return VisaCVN18(*keys).generate_ac(**values, tag_9f10=issuer_data)
        if number in _PLAIN:
            return _PLAIN[number](*keys).generate_ac(**values, cvr=issuer_data[2:8])
        if number in _COUNTED:
            return _COUNTED[number](*keys).generate_ac(**values, cvr=issuer_data[2:8], counters=issuer_data[10:18])
        if number == _COMMON:
            session = kd.derive_common_sk(kd.derive_icc_mk_a(master_key, pan, sequence), tags["9F36"] + bytes(6))
            data = b"".join(tags[tag] for tag in _INPUTS) + issuer_data[3:7]
            return ac.generate_ac(session, data, ac.PaddingType.EMV, 8)
    raise ValueError("unknown cryptogram version")
