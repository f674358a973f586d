# SPDX-License-Identifier: MIT
"""What Alipay's codes mean: one table a call, sub_code -> answer, DE 39, words, and what Alipay's documentation says.

Sources: the error codes of alipay.trade.pay, .precreate, .query, .cancel and .refund, as published on opendocs.alipay.com
(read in public copies, 2026-11). A code that is in no table is UNKNOWN: the order is asked about, and undone in the end.
"""

import re
from typing import Any, NamedTuple

from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, Outcome, Words
from tools.host.errors import ProviderFault
from tools.host.wire import answers

DONE, CONFIRMS, BUSY, FAILED, TOO_OFTEN = "10000", "10003", "20000", "40004", "40005"
NOT_EXIST = "ACQ.TRADE_NOT_EXIST"
HAS_CLOSE = "ACQ.TRADE_HAS_CLOSE"
_ASK_AGAIN = 5.0  # seconds
_BY_HAND = 60.0  # seconds: somebody has to do something first


class Row(NamedTuple):
    """`source`: what the documentation says about the code, or tells to do. `again`: seconds."""

    answer: str
    code: str
    en: str
    zh: str
    source: str
    again: float = 0.0

    def outcome(self, their_code: str) -> Outcome:
        return Outcome(self.answer, self.code, Words(self.en, self.zh), their_code, again=self.again)


PAID = Words("Paid with Alipay", "支付宝已付款")
GIVEN_BACK = Words("Refunded with Alipay", "支付宝已退款")
CONFIRM = Words("Customer confirms on the phone", "请顾客在手机上确认")
SCAN = Words("Customer scans the code", "请顾客扫码")
CLOSED = Words("Not paid", "未付款")
REFUNDING = Words("Refund is on its way", "退款处理中")
STILL_SCANNABLE = Words("Waiting until the code expires", "等待二维码失效")
UNDOING = Words("Being cancelled", "撤销中")
_BUSY = Words("Alipay is busy", "支付宝繁忙")
_UNCLEAR = Words("Alipay gives no clear answer", "支付宝结果未知")

_REFRESH = ("Refresh the code, scan again", "请刷新付款码再扫")
_OTHER_WAY = ("Use another way to pay", "请换其他付款方式")
_ACCOUNT = ("Customer's account is restricted", "顾客账户受限")
_SHOP = ("Shop's Alipay account is restricted", "商户支付宝受限")
_CONTRACT = ("No Alipay contract for this", "支付宝未签约")
_LIMIT = ("Over the shop's limit", "超出商户限额")
_ASKED = ("Asking what became of it", "正在查询结果")

# alipay.trade.pay and alipay.trade.precreate. NO: nothing was paid, and the documentation asks for something new.
PAY = {
    "ACQ.SYSTEM_ERROR": Row(UNKNOWN, "", *_ASKED, "it may have been paid or not: query it"),
    "ACQ.TRADE_HAS_SUCCESS": Row(UNKNOWN, "", *_ASKED, "this order number is paid: find out whether it is this order"),
    "ACQ.CONTEXT_INCONSISTENT": Row(UNKNOWN, "", *_ASKED, "the order number exists with other data"),
    "ACQ.TRADE_BUYER_NOT_MATCH": Row(UNKNOWN, "", *_ASKED, "the order number exists with another buyer"),
    "ACQ.TRADE_STATUS_ERROR": Row(UNKNOWN, "", *_ASKED, "find out whether the order is paid"),
    HAS_CLOSE: Row(NO, answers.INVALID, "Order is closed", "订单已关闭", "closed or refunded in full: a new order number"),
    "ACQ.PAYMENT_AUTH_CODE_INVALID": Row(NO, answers.BAD_CARD, *_REFRESH, "refresh the code and scan again"),
    "ACQ.PULL_MOBILE_CASHIER_FAIL": Row(NO, answers.BAD_CARD, *_REFRESH, "refresh the code and scan again"),
    "ACQ.PAYMENT_FAIL": Row(NO, answers.DO_NOT_HONOUR, *_REFRESH, "refresh the code, or pay another way"),
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": Row(NO, answers.NO_FUNDS, "Not enough money", "余额不足", "add money or a card"),
    "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH": Row(
        NO, answers.NO_FUNDS, "Not enough money on the card", "银行卡余额不足", "pay another way"
    ),
    "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": Row(NO, answers.RESTRICTED, *_ACCOUNT, "customer switches balance payment on"),
    "ACQ.BUYER_SELLER_EQUAL": Row(NO, answers.RESTRICTED, *_OTHER_WAY, "buyer and seller are the same"),
    "ACQ.BUYER_ENABLE_STATUS_FORBID": Row(NO, answers.RESTRICTED, *_ACCOUNT, "customer asks Alipay"),
    "ACQ.BUYER_NOT_EXIST": Row(NO, answers.RESTRICTED, *_ACCOUNT, "the customer's account is closed"),
    "ACQ.MOBILE_PAYMENT_SWITCH_OFF": Row(NO, answers.RESTRICTED, *_ACCOUNT, "customer switches it on"),
    "ACQ.USER_FACE_PAYMENT_SWITCH_OFF": Row(NO, answers.RESTRICTED, *_ACCOUNT, "customer switches it on"),
    "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT": Row(NO, answers.RESTRICTED, *_ACCOUNT, "customer is not identified"),
    "ACQ.NOT_CERTIFIED_USER": Row(NO, answers.RESTRICTED, *_ACCOUNT, "customer is not identified"),
    "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR": Row(
        NO, answers.OVER_LIMIT, "Over the customer's daily limit", "超出顾客日限额", "another buyer or way to pay"
    ),
    "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR": Row(
        NO, answers.OVER_LIMIT, "Over the customer's monthly limit", "超出顾客月限额", "another account or way to pay"
    ),
    "ACQ.PAYMENT_REQUEST_HAS_RISK": Row(NO, answers.SUSPECT, *_OTHER_WAY, "pay another way"),
    "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE": Row(NO, answers.DO_NOT_HONOUR, *_OTHER_WAY, "pay another way"),
    "ACQ.NOT_SUPPORT_PAYMENT_INST": Row(NO, answers.DO_NOT_HONOUR, *_OTHER_WAY, "another app or way to pay"),
    "ACQ.TOTAL_FEE_EXCEED": Row(NO, answers.OVER_LIMIT, "Amount is not allowed", "金额超限", "another amount"),
    "ACQ.BEYOND_PAY_RESTRICTION": Row(NO, answers.OVER_LIMIT, *_LIMIT, "ask Alipay for a higher limit"),
    "ACQ.BEYOND_PER_RECEIPT_RESTRICTION": Row(NO, answers.OVER_LIMIT, *_LIMIT, "ask Alipay for a higher limit"),
    "ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION": Row(NO, answers.OVER_LIMIT, *_LIMIT, "ask Alipay for a higher limit"),
    "ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION": Row(NO, answers.OVER_LIMIT, *_LIMIT, "ask Alipay for a higher limit"),
    "ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT": Row(NO, answers.OVER_LIMIT, *_LIMIT, "ask Alipay"),
    "ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT": Row(NO, answers.OVER_LIMIT, *_LIMIT, "ask Alipay"),
    "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR": Row(NO, answers.OVER_LIMIT, *_LIMIT, "ask Alipay for a higher limit"),
    "ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT": Row(NO, answers.RESTRICTED, *_SHOP, "ask Alipay"),
    "ACQ.SELLER_BEEN_BLOCKED": Row(NO, answers.RESTRICTED, *_SHOP, "ask Alipay to unfreeze the account"),
    "ACQ.SELLER_NOT_EXIST": Row(NO, answers.RESTRICTED, *_SHOP, "check the seller"),
    "ACQ.MERCHANT_STATUS_NOT_NORMAL": Row(NO, answers.RESTRICTED, *_SHOP, "sign or activate the contract again"),
    "ACQ.ACCESS_FORBIDDEN": Row(NO, answers.RESTRICTED, *_CONTRACT, "no contract, or it has ended"),
    "ACQ.MERCHANT_AGREEMENT_NOT_EXIST": Row(NO, answers.RESTRICTED, *_CONTRACT, "no contract"),
    "ACQ.MERCHANT_AGREEMENT_INVALID": Row(NO, answers.RESTRICTED, *_CONTRACT, "the contract has ended"),
    "ACQ.UN_SUPPORT_TRADE_SCENE": Row(NO, answers.RESTRICTED, *_CONTRACT, "the contract lacks this scene"),
    "ACQ.PARTNER_ERROR": Row(NO, answers.RESTRICTED, *_CONTRACT, "app_id is wrong or not active"),
    "ACQ.EXIST_FORBIDDEN_WORD": Row(
        NO, answers.FORMAT_ERROR, "Change subject in acquirers.toml", "商品名称含违禁词", "another subject"
    ),
    "ACQ.AMOUNT_OR_CURRENCY_ERROR": Row(NO, answers.WRONG_AMOUNT, "Amount is not allowed", "金额有误", "check both"),
}  # fmt: skip

# alipay.trade.query: only that it is not there is about the order; everything else is about the query.
QUERY = {"ACQ.SYSTEM_ERROR": Row(UNKNOWN, "", *_ASKED, "ask again", _ASK_AGAIN)}

# alipay.trade.cancel. A shop that has to do something first is no NO: the cancel is repeated until it is done.
CANCEL = {
    "ACQ.SYSTEM_ERROR": Row(UNKNOWN, "", "Being cancelled", "撤销中", "try again later", _ASK_AGAIN),
    "AQC.SYSTEM_ERROR": Row(UNKNOWN, "", "Being cancelled", "撤销中", "same parameters again", _ASK_AGAIN),
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": Row(
        WAITING, "", "Top up the Alipay account", "支付宝余额不足，请充值", "top up, then cancel again", _BY_HAND
    ),
    "ACQ.REASON_TRADE_BEEN_FREEZEN": Row(
        WAITING, "", "Payment is frozen: ask Alipay", "交易被冻结，请联系支付宝", "ask Alipay about it", _BY_HAND
    ),
    "ACQ.TRADE_HAS_FINISHED": Row(
        NO, answers.INVALID, "Too late to be undone", "交易已完结", "finished: no refund is allowed"
    ),
}  # fmt: skip
# ... and after these the state of the trade decides: too late to cancel (refund it), no cancel for it, refunded before.
ASK_STATE = frozenset(
    (NOT_EXIST, "ACQ.TRADE_CANCEL_TIME_OUT", "ACQ.CANCEL_NOT_ALLOWED", "ACQ.REASON_TRADE_REFUND_FEE_ERR",
     "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_ILLEGAL_STATUS", "ACQ.TRADE_STATUS_ERROR")
)  # fmt: skip

_TOO_MUCH = ("More than is left of it", "超出可退金额")
_NO_REFUND = ("Cannot be refunded", "不可退款")
# alipay.trade.refund. NO: this refund did not happen. A later one has a number of its own.
REFUND = {
    "ACQ.SYSTEM_ERROR": Row(UNKNOWN, "", "Refund is being asked", "退款查询中", "same parameters again", _ASK_AGAIN),
    "ACQ.REFUND_CHARGE_ERROR": Row(UNKNOWN, "", "Refund is being asked", "退款查询中", "same parameters again", _ASK_AGAIN),
    "ACQ.DISCORDANT_REPEAT_REQUEST": Row(UNKNOWN, "", *_ASKED, "the refund number was used: query it"),
    "ACQ.TRADE_STATUS_ERROR": Row(UNKNOWN, "", *_ASKED, "query whether the trade is paid"),
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": Row(
        NO, answers.NO_FUNDS, "Top up the Alipay account", "支付宝余额不足，请充值", "top up, then refund again"
    ),
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": Row(NO, answers.WRONG_AMOUNT, *_TOO_MUCH, "another amount"),
    "ACQ.REASON_TRADE_REFUND_FEE_ERR": Row(NO, answers.WRONG_AMOUNT, *_TOO_MUCH, "check the amount"),
    "ACQ.REFUND_FEE_ERROR": Row(NO, answers.WRONG_AMOUNT, *_TOO_MUCH, "check the amount"),
    "ACQ.NOT_ALLOW_PARTIAL_REFUND": Row(NO, answers.WRONG_AMOUNT, "Only in full", "不支持部分退款", "refund all of it"),
    HAS_CLOSE: Row(NO, answers.INVALID, "Refunded before", "已全额退款", "closed: never paid, or refunded in full"),
    "ACQ.TRADE_HAS_FINISHED": Row(NO, answers.INVALID, *_NO_REFUND, "finished: no refund is allowed"),
    "ACQ.TRADE_NOT_ALLOW_REFUND": Row(NO, answers.INVALID, *_NO_REFUND, "state or contract do not allow it"),
    "ACQ.REASON_TRADE_BEEN_FREEZEN": Row(
        NO, answers.RESTRICTED, "Payment is frozen: ask Alipay", "交易被冻结，请联系支付宝", "ask Alipay about it"
    ),
    "ACQ.BUYER_NOT_EXIST": Row(NO, answers.RESTRICTED, *_ACCOUNT, "the customer's account is closed"),
    "ACQ.BUYER_ENABLE_STATUS_FORBID": Row(NO, answers.RESTRICTED, *_ACCOUNT, "customer asks Alipay"),
}  # fmt: skip
TOO_MUCH = frozenset(("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "ACQ.REASON_TRADE_REFUND_FEE_ERR", "ACQ.REFUND_FEE_ERROR"))

REFUND_QUERY = {"ACQ.SYSTEM_ERROR": Row(UNKNOWN, "", *_ASKED, "ask again", _ASK_AGAIN)}


def of(answer: dict[str, Any], table: dict[str, Row]) -> Outcome:
    """What an answer other than 10000 and 10003 says. Raises ProviderFault if the call itself was refused."""
    code, sub = plain(answer.get("code")), plain(answer.get("sub_code"))
    if code in (BUSY, TOO_OFTEN):  # "service unavailable", "calls limited": nothing is known
        return Outcome(UNKNOWN, words=_BUSY, their_code=f"{code} {sub}".strip(), again=_ASK_AGAIN)
    if code == FAILED:
        return table[sub].outcome(sub) if sub in table else Outcome(UNKNOWN, words=_UNCLEAR, their_code=sub)
    raise ProviderFault(f"Alipay refuses the call: {code} {sub}")


def sub_code(answer: dict[str, Any]) -> str:
    """The sub_code of a business error; "" of every other answer."""
    return plain(answer.get("sub_code")) if answer.get("code") == FAILED else ""


def plain(value: object) -> str:
    """A code as it may stand in a log: a short word, or nothing."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value) else ""
