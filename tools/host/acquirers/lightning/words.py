# SPDX-License-Identifier: MIT
"""What LNbits says, and what it means: answer, DE 39 and words. The only place that knows.

Sources: the server's own code, LNbits 1.6.2 (core/views/payment_api.py, core/services/payments.py, exceptions.py).
"""

from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, Outcome, Words
from tools.host.wire import answers

_Row = tuple[str, str, Words]
_NO = answers.DO_NOT_HONOUR

_TABLE: dict[str, _Row] = {
    # `status` of a payment (PaymentState): "failed" is also an invoice whose time is over
    "success": (YES, answers.APPROVED, Words("Paid by Lightning", "闪电网络已付款")),
    "pending": (WAITING, _NO, Words("Scan with a Lightning wallet", "请用闪电钱包扫码")),
    "failed": (NO, _NO, Words("Not paid in time", "未在时限内付款")),
    # HTTP status of a request that failed. 520 is InvoiceError; with `status` "failed" no invoice was made, with
    # "pending" nobody knows. 400: the request itself is wrong, and nothing was made. 401 and 404: the key; 429: too often
    "520 failed": (NO, _NO, Words("Refused by the Lightning server", "闪电服务器拒绝")),
    "400": (NO, answers.INVALID, Words("Refused by the Lightning server", "闪电服务器拒绝")),
    "401": (UNKNOWN, _NO, Words("Lightning server: key refused", "闪电服务器：密钥无效")),
    "403": (UNKNOWN, _NO, Words("Lightning server: key refused", "闪电服务器：密钥无效")),
    "404": (UNKNOWN, _NO, Words("Lightning server: key refused", "闪电服务器：密钥无效")),
    "429": (UNKNOWN, _NO, Words("Lightning server is busy", "闪电服务器繁忙")),
    # Ours: what is not asked of the server at all, or what an undo came to
    "missing": (UNKNOWN, _NO, Words("No invoice yet", "尚无闪电账单")),
    "closed": (YES, answers.APPROVED, Words("Not paid, and too late to pay", "未付款，已过期")),
    "open": (WAITING, _NO, Words("Undone when its time is over", "过期后自动撤销")),
    "kept": (NO, answers.INVALID, Words("Paid: give it back in cash", "已付款，请退现金")),
    "no refund": (NO, answers.INVALID, Words("No refund by Lightning: pay cash", "闪电不能退款，请退现金")),
    "no code": (NO, answers.BAD_CARD, Words("Lightning shows a code, takes none", "闪电只能展示收款码")),
    "currency": (NO, answers.INVALID, Words("Lightning: not in this currency", "闪电不支持此币种")),
    "small": (NO, answers.WRONG_AMOUNT, Words("Too small for Lightning", "金额太小，不能用闪电")),
    "long": (NO, _NO, Words("This code is too long to show", "收款码太长，无法显示")),
}
_BUSY = 30.0  # seconds until the next call, after a 429


def outcome(name: str, their_code: str = "", *, their_id: str = "", shown: bytes = b"", again: float = 0.0) -> Outcome:
    """The outcome with this name, a key of the table; UNKNOWN without words if the table does not have it."""
    answer, code, words = _TABLE.get(name, (UNKNOWN, _NO, Words()))
    wait = _BUSY if name == "429" else again
    missing = name == "missing"
    return Outcome(answer, code, words, their_code or name, their_id, shown, missing, wait)


def everything() -> dict[str, _Row]:
    """The table."""
    return dict(_TABLE)
