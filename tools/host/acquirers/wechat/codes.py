# SPDX-License-Identifier: MIT
"""What each code and state of WeChat Pay means here: (answer, DE 39, words). What is not in a table is UNKNOWN.

Codes are compared without underscores: API v2 wrote NOTENOUGH, API v3 writes NOT_ENOUGH, and both appear.

Sources, by letter:
a  API v3, table of errors of an order (pay.weixin.qq.com/doc/v3/merchant/4012791877, also for the other kinds of order)
b  API v2, table of errors of a code payment (pay.weixin.qq.com/doc/v2/merchant/4011937125); its column "payment state"
   says "failed for certain" or "result unknown". API v3 has no such column.
c  API v3, states of an order (pay.weixin.qq.com/docs/merchant/apis/query-order/direct-jsons/query-by-out-trade-no.html)
d  API v3, refunds: table of errors and states (pay.weixin.qq.com/doc/v3/merchant/4012552567)
e  API v3, reversal (pay.weixin.qq.com/docs/merchant/apis/code-payment-v3/direct/reverse.html)
"""

from dataclasses import dataclass

from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, Outcome, Words
from tools.host.wire import answers

_BUSY = Words("WeChat Pay is busy", "微信支付系统忙")
_MERCHANT = Words("WeChat Pay refuses this shop", "微信支付商户设置有误")
_BAD_CODE = Words("Code not valid. Refresh it", "付款码无效，请刷新后重试")
_CLOSED = Words("The order is closed", "订单已关闭")
CONFIRM = Words("Customer must confirm", "请顾客在手机上确认")
SCAN = Words("Customer must scan the code", "请顾客扫码付款")
BY_HAND = Words("See it on WeChat Pay's site", "请到微信支付平台处理")
NOTHING = Words()
SOON, LATER, SELDOM = 5.0, 60.0, 600.0  # seconds


@dataclass(frozen=True, slots=True)
class Row:
    """`code`: DE 39 of a NO. `source`: letters of the list above. `again`: seconds until asking again makes sense."""

    answer: str
    words: Words
    source: str
    code: str = answers.DO_NOT_HONOUR
    again: float = 0.0

    def outcome(self, their_code: str, their_id: str = "", shown: bytes = b"") -> Outcome:
        return Outcome(self.answer, self.code, self.words, their_code, their_id, shown, again=self.again)


# Errors of a new order. The certain ones are confirmed by a query all the same: a repeated request may be refused for
# what the first one did.
PAY = {
    "USERPAYING": Row(WAITING, CONFIRM, "ab"),
    "SYSTEMERROR": Row(UNKNOWN, _BUSY, "ab", again=SOON),
    "BANKERROR": Row(UNKNOWN, _BUSY, "ab", again=SOON),
    "FREQUENCYLIMITED": Row(UNKNOWN, _BUSY, "a", again=10.0),
    "FREQUENCYLIMITEXCEED": Row(UNKNOWN, _BUSY, "a", again=10.0),
    "ORDERPAID": Row(UNKNOWN, NOTHING, "ab", again=SOON),
    "OUTTRADENOUSED": Row(UNKNOWN, NOTHING, "ab", again=SOON),
    "AUTHCODEEXPIRE": Row(NO, Words("Code too old. Refresh it", "付款码已过期，请刷新"), "b", answers.EXPIRED),
    "AUTHCODEERROR": Row(NO, _BAD_CODE, "b", answers.BAD_CARD),
    "AUTHCODEINVALID": Row(NO, _BAD_CODE, "b", answers.BAD_CARD),
    "NOTENOUGH": Row(NO, Words("Not enough money", "余额不足"), "ab", answers.NO_FUNDS),
    "NOTSUPORTCARD": Row(NO, Words("Card not accepted. Use another", "不支持此卡，请换卡"), "b", answers.RESTRICTED),
    "BUYERMISMATCH": Row(NO, Words("Another customer began this", "付款人不一致"), "b", answers.INVALID),
    "RULELIMIT": Row(NO, Words("Over a limit of WeChat Pay", "超出微信支付限额"), "a", answers.OVER_LIMIT),
    "ACCOUNTERROR": Row(NO, Words("Customer's account is blocked", "顾客账户异常"), "a", answers.RESTRICTED),
    "TRADEERROR": Row(NO, Words("WeChat Pay declined", "微信支付拒绝"), "ab"),
    "ORDERCLOSED": Row(NO, _CLOSED, "ab", answers.INVALID),
    "ORDERREVERSED": Row(NO, _CLOSED, "b", answers.INVALID),
    "PARAMERROR": Row(NO, _MERCHANT, "ab", answers.INVALID),
    "INVALIDREQUEST": Row(NO, _MERCHANT, "ab", answers.INVALID),
    "APPIDMCHIDNOTMATCH": Row(NO, _MERCHANT, "ab", answers.INVALID),
    "MCHNOTEXISTS": Row(NO, _MERCHANT, "a", answers.INVALID),
    "NOAUTH": Row(NO, _MERCHANT, "ab", answers.INVALID),
}

# States of an order. REFUND means that money went back, by whoever asked for it, all of it or a part.
STATES = {
    "SUCCESS": Row(YES, NOTHING, "c"),
    "USERPAYING": Row(WAITING, CONFIRM, "c"),
    "NOTPAY": Row(WAITING, NOTHING, "c"),
    "ACCEPT": Row(WAITING, NOTHING, "c"),
    "CLOSED": Row(NO, _CLOSED, "c", answers.INVALID),
    "REVOKED": Row(NO, _CLOSED, "c", answers.INVALID),
    "PAYERROR": Row(NO, Words("The payment failed", "支付失败"), "c"),
    "REFUND": Row(UNKNOWN, BY_HAND, "c", again=LATER),
}

# Errors of a refund. The certain ones are confirmed by a query too.
REFUND = {
    "SYSTEMERROR": Row(UNKNOWN, _BUSY, "d", again=SOON),
    "FREQUENCYLIMITED": Row(UNKNOWN, _BUSY, "d", again=LATER),
    "NOTENOUGH": Row(NO, Words("Merchant's balance too low", "商户余额不足"), "d", answers.NO_FUNDS),
    "USERACCOUNTABNORMAL": Row(NO, Words("Customer's account is closed", "顾客账户异常"), "d", answers.RESTRICTED),
    "INVALIDREQUEST": Row(NO, Words("WeChat Pay refuses the refund", "微信支付拒绝退款"), "d", answers.INVALID),
    "PARAMERROR": Row(NO, Words("WeChat Pay refuses the refund", "微信支付拒绝退款"), "d", answers.INVALID),
    "MCHNOTEXISTS": Row(NO, _MERCHANT, "d", answers.INVALID),
    "NOAUTH": Row(NO, _MERCHANT, "d", answers.INVALID),
}

# States of a refund. ABNORMAL: the customer's bank sent it back, and somebody decides on WeChat Pay's site.
REFUND_STATES = {
    "SUCCESS": Row(YES, NOTHING, "d"),
    "PROCESSING": Row(WAITING, Words("The refund is under way", "退款处理中"), "d", again=SOON),
    "CLOSED": Row(NO, Words("WeChat Pay closed the refund", "退款已关闭"), "d", answers.INVALID),
    "ABNORMAL": Row(UNKNOWN, BY_HAND, "d", again=SELDOM),
}

ORDER_MISSING = frozenset(("ORDERNOTEXIST", "ORDERNOTEXISTS", "RESOURCENOTEXISTS"))  # c, with status 404
REFUND_MISSING = frozenset(("RESOURCENOTEXISTS", "REFUNDNOTEXISTS", "REFUNDNOTEXIST"))  # d, with status 404
BILL_CREATING, BILL_MISSING = "STATEMENTCREATING", "NOSTATEMENTEXIST"


def plain(code: str) -> str:
    """A code as it stands in the tables."""
    return code.replace("_", "").upper()


def row(table: dict[str, Row], code: str) -> Row:
    """The row of a code; UNKNOWN if it is not in the table."""
    return table.get(plain(code), Row(UNKNOWN, NOTHING, "", again=SOON))


def refuses_reversal(code: str) -> bool:
    """Whether an error of a reversal is final, so that a paid order has to be refunded instead (e; its time is over)."""
    return plain(code) == "REVERSEEXPIRE" or row(PAY, code).answer == NO
