# SPDX-License-Identifier: MIT
"""Alipay's amounts: yuan as decimal text, and fen as whole numbers here. Nothing in between."""

import re

from tools.host.errors import ProviderFault

MOST = 10_000_000_000  # fen: alipay.trade.pay takes 0.01 to 100,000,000.00 yuan
_FORM = re.compile(r"(-?)(0|[1-9][0-9]{0,10})(?:\.([0-9]{1,2}))?")


def yuan(fen: int) -> str:
    """Fen, 0 or more, as Alipay wants them: 5 is "0.05"."""
    assert fen >= 0, "what is paid or given back is never negative"
    return f"{fen // 100}.{fen % 100:02}"


def fen(text: object) -> int:
    """Yuan as fen. "0.1" and "1" are understood; exponents, signs, spaces, and parts of a fen are not: ProviderFault."""
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ProviderFault("an amount that is none")
    sign, whole, part = found.groups()
    amount = int(whole) * 100 + int((part or "").ljust(2, "0"))
    return -amount if sign else amount
