# SPDX-License-Identifier: MIT
"""Whether an answer of Alipay is about what was asked. Every one of these raises ProviderFault if it is not."""

import re
from typing import Any

from tools.host.acquirers.alipay import amounts
from tools.host.acquirers.provider import Order
from tools.host.errors import ProviderFault

YUAN = "CNY"


def text(answer: dict[str, Any], key: str) -> str:
    """A field that is text; "" if it is not there."""
    value = answer.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ProviderFault(f"Alipay's {key} is no text")
    return value


def about(answer: dict[str, Any], order: Order, must: bool = True) -> None:
    """It names this order. `must`: it names one at all; a refusal sometimes does not."""
    number = text(answer, "out_trade_no")
    if number != order.reference and (must or number):
        raise ProviderFault("Alipay answers about another order")
    theirs = text(answer, "trade_no")
    if theirs and not re.fullmatch("[0-9A-Za-z]{1,64}", theirs):
        raise ProviderFault("a trade_no that is none")
    if order.their_id and theirs and theirs != order.their_id:
        raise ProviderFault("Alipay answers about another trade")


def amount(answer: dict[str, Any], key: str, wanted: int) -> None:
    """It names this amount (fen), in yuan."""
    if amounts.fen(answer.get(key)) != wanted:
        raise ProviderFault("Alipay answers about another amount")
    for currency in ("pay_currency", "trans_currency", "refund_currency"):
        if text(answer, currency) not in ("", YUAN):
            raise ProviderFault("Alipay answers about another currency")
