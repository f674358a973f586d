# SPDX-License-Identifier: MIT
"""Whether an answer is about what was asked. One about another order, amount, currency or merchant is a ProviderFault."""

import re
from collections.abc import Mapping
from typing import Any

from tools.host.acquirers.provider import NO, WAITING, YES, Order, Outcome, Refund
from tools.host.acquirers.wechat import codes
from tools.host.acquirers.wechat.api import Keys
from tools.host.errors import ProviderFault

CURRENCY = "CNY"
_ID = re.compile(r"[0-9A-Za-z]{1,64}")


def order(keys: Keys, asked: Order, data: Mapping[str, Any]) -> Outcome:
    """What an answer says of an order. Its `their_code` is the state.

    While the customer confirms, the state may be all that it says; whatever else it says has to be right.
    """
    state = data.get("trade_state")
    if not isinstance(state, str):
        raise ProviderFault("an order without a state")
    row = codes.row(codes.STATES, state)
    final = row.answer in (YES, NO) or state == "REFUND"
    _same(data, "out_trade_no", asked.reference, final)
    if keys.sub_merchant:
        _same(data, "sp_mchid", keys.merchant, final)
        _same(data, "sub_mchid", keys.sub_merchant, final)
        _same(data, "sp_appid", keys.app)
    else:
        _same(data, "mchid", keys.merchant, final)
        _same(data, "appid", keys.app)
    paid = row.answer == YES or state == "REFUND"
    _amount(data, paid, total=asked.amount)
    their_id = _id(data, "transaction_id", paid)
    found = row.outcome(state[:40], their_id)
    if found.answer == WAITING and asked.is_shown:
        found = codes.Row(WAITING, codes.SCAN, "c").outcome(state, their_id)
    return found


def refund(asked: Refund, data: Mapping[str, Any]) -> Outcome:
    """What an answer says of a refund."""
    state = data.get("status")
    if not isinstance(state, str):
        raise ProviderFault("a refund without a state")
    _same(data, "out_refund_no", asked.reference, True)
    _same(data, "out_trade_no", asked.order.reference, True)
    _amount(data, True, total=asked.order.amount, refund=asked.amount)
    return codes.row(codes.REFUND_STATES, state).outcome(state[:40], _id(data, "refund_id", True))


def reversal(keys: Keys, asked: Order, data: Mapping[str, Any]) -> bool:
    """Whether WeChat Pay reversed an order, and it need not be asked again (`recall`, which API v2 had)."""
    _same(data, "out_trade_no", asked.reference)
    _same(data, "sub_mchid" if keys.sub_merchant else "mchid", keys.sub_merchant or keys.merchant)
    return data.get("recall", "N") == "N"


def _same(data: Mapping[str, Any], name: str, wanted: str, needed: bool = False) -> None:
    found = data.get(name, None if needed else wanted)
    if found != wanted:
        raise ProviderFault(f"an answer with another {name}" if found is not None else f"an answer without {name}")


def _amount(data: Mapping[str, Any], needed: bool, **wanted: int) -> None:
    """Amounts are whole numbers of fen. A currency that is left out is CNY, as documented."""
    found = data.get("amount")
    if found is None and not needed:
        return
    if not isinstance(found, dict):
        raise ProviderFault("an answer without an amount")
    for name, value in wanted.items():
        said = found.get(name, None if needed else value)
        if type(said) is not int or said != value:
            raise ProviderFault("an answer with another amount")
    _same(found, "currency", CURRENCY)


def _id(data: Mapping[str, Any], name: str, needed: bool) -> str:
    found = data.get(name, None if needed else "")
    if found == "" and not needed:
        return ""
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise ProviderFault(f"an answer without a valid {name}")
    return found
