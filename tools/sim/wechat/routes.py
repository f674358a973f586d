# SPDX-License-Identifier: MIT
"""What each address of the simulated WeChat Pay answers: status and object, as its public documentation has them."""

import datetime
import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

from tools.sim.wechat.books import RATE, Books, Line, Order, Refund, Refusal
from tools.sim.wechat.signing import Merchant, Platform, sha1

_ORDER = re.compile(r"/v3/pay/(partner/)?transactions/out-trade-no/([0-9A-Za-z_-]{6,32})(/close|/reverse)?")
_REFUND = re.compile(r"/v3/refund/domestic/refunds/([0-9A-Za-z_|*@-]{1,64})")
_BILL = "/v3/billdownload/file"
_BEIJING = datetime.timezone(datetime.timedelta(hours=8))
_COLUMNS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
_TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


def call_of(method: str, path: str) -> str:
    """The name of a call, for moods."""
    if path in ("/v3/certificates", "/v3/bill/tradebill", _BILL):
        return {"/v3/certificates": "certificates", _BILL: "download"}.get(path, "bill")
    if path == "/v3/refund/domestic/refunds":
        return "refund"
    if path.startswith("/v3/refund/"):
        return "query refund"
    return path.rpartition("/")[2] if method == "POST" else "query"


class Routes:
    """`bill_differs`: fen that the bill says too much for its first payment. `bill_is_made`: False while it is being made.

    `keeps_days`: a bill is of the day that is asked for, in Beijing, and there is none before that day is over. Otherwise
    every bill has all that ever happened.
    """

    def __init__(self, merchant: Merchant, books: Books) -> None:
        self.merchant, self.books = merchant, books
        self.bill_differs = 0
        self.bill_is_made = True
        self.keeps_days = False
        self._day: datetime.date | None = None  # whose bill was asked for last
        self.seen: list[dict[str, Any]] = []  # the objects of all requests

    def answer(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, base: str, platform: Platform
    ) -> tuple[int, dict[str, Any] | bytes]:
        """The effect and the answer of a request whose signature is right. Raises Refusal."""
        data = json.loads(body) if body else {}
        self.seen.append(data)
        if path == "/v3/certificates":
            return 200, {"data": [platform.sealed_certificate(self.merchant.api_key)]}
        if path == "/v3/bill/tradebill":
            self._day = datetime.date.fromisoformat(query["bill_date"]) if self.keeps_days else None
            return 200, self._bill(base)
        if path == _BILL:
            return 200, gzip.compress(self.bill_text().encode("utf-8-sig"))
        self._known(data if method == "POST" else query, "/partner/" in path, path.startswith("/v3/refund/"))
        kind = call_of(method, path)
        if kind in ("codepay", "native"):
            return self._pay(kind, data)
        if kind in ("refund", "query refund"):
            return 200, self._refund(path, data)
        match = _ORDER.fullmatch(path)
        if not match:
            raise Refusal(404, "RESOURCE_NOT_EXISTS")
        number = match[2]
        if kind == "close":
            self.books.close(number)
            return 204, {}
        if kind == "reverse":
            return 200, {**self._names(), "out_trade_no": self.books.reverse(number).number}
        return 200, self.said(self.books.find(number))

    def said(self, order: Order) -> dict[str, Any]:
        """An order, as a query answers."""
        found = {**self._names(), "out_trade_no": order.number, "trade_state": order.state, "trade_state_desc": "..."}
        if order.paid:
            amount = {"total": order.amount, "payer_total": order.amount, "currency": "CNY", "payer_currency": "CNY"}
            found |= {"amount": amount, "transaction_id": order.id, "trade_type": order.kind, "bank_type": "OTHERS"}
        return found

    def bill_text(self) -> str:
        """The bill of the day: whatever happened."""
        lines, rows = self._billed(), []
        for index, line in enumerate(lines):
            rows.append(self._row(line, 0 if index else self.bill_differs))
        total = [len(lines), "0.00", "0.00", "0.00", _yuan(sum(line.fee for line in lines)), "0.00", "0.00"]
        return "\r\n".join((_COLUMNS, *rows, _TOTALS, ",".join(f"`{each}" for each in total))) + "\r\n"

    def _bill(self, base: str) -> dict[str, Any]:
        if not self.bill_is_made or self._day and self._day >= _day(self.books.now()):
            raise Refusal(400, "STATEMENT_CREATING")
        if not self._billed():
            raise Refusal(400, "NO_STATEMENT_EXIST")
        hash_ = sha1(self.bill_text().encode("utf-8-sig"))
        return {"hash_type": "SHA1", "hash_value": hash_, "download_url": f"{base}{_BILL}?token=secret-token"}

    def _billed(self) -> list[Line]:
        return [line for line in self.books.lines if self._day in (None, _day(line.at))]

    def _row(self, line: Line, more: int) -> str:
        back = line.state != "SUCCESS"
        amount = _yuan(line.amount + more)
        told = {
            "交易时间": f"{_beijing(line.at):%Y-%m-%d %H:%M:%S}",
            "公众账号ID": self.merchant.app,
            "商户号": self.merchant.number,
            "特约商户号": self.merchant.sub_merchant or "0",
            "微信订单号": line.id,
            "商户订单号": line.order,
            "交易状态": line.state,
            "货币种类": "CNY",
            "应结订单金额": "0.00" if back else amount,
            "微信退款单号": line.refund_id or "0",
            "商户退款单号": line.refund or "0",
            "退款金额": amount if back else "0.00",
            "退款状态": "SUCCESS" if back else "",
            "商品名称": "茶, 大杯",
            "手续费": f"{_yuan(line.fee)}000",
            "费率": f"{RATE / 100:.2f}%",
            "订单金额": "0.00" if back else amount,
            "申请退款金额": amount if back else "0.00",
        }
        return ",".join(f"`{told.get(name, '')}" for name in _COLUMNS.split(","))

    def _pay(self, kind: str, data: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        amount = data["amount"]
        if amount["currency"] != "CNY" or type(amount["total"]) is not int or amount["total"] < 1:
            raise Refusal(400, "PARAM_ERROR")
        if kind == "native":
            if not data["notify_url"].startswith("https://"):
                raise Refusal(400, "PARAM_ERROR")
            order = self.books.native(data["out_trade_no"], amount["total"])
            return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={order.id}"}
        if not data["scene_info"]["store_info"]:
            raise Refusal(400, "INVALID_REQUEST")
        order = self.books.codepay(data["out_trade_no"], amount["total"], data["payer"]["auth_code"])
        if order.state == "USERPAYING":
            return 202, {"trade_state": "USERPAYING"}  # nothing else, as merchants report
        return 200, self.said(order)

    def _refund(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        match = _REFUND.fullmatch(path)
        if match:
            return self._told(self.books.find_refund(match[1]))
        amount = data["amount"]
        refund = self.books.refund(data["out_refund_no"], data["out_trade_no"], amount["refund"], amount["total"])
        return self._told(refund)

    def _told(self, refund: Refund) -> dict[str, Any]:
        total = self.books.orders[refund.order].amount
        return {
            "refund_id": refund.id,
            "out_refund_no": refund.number,
            "out_trade_no": refund.order,
            "status": refund.status,
            "amount": {"total": total, "refund": refund.amount, "payer_refund": refund.amount, "currency": "CNY"},
        }

    def _names(self) -> dict[str, str]:
        mine = self.merchant
        if mine.sub_merchant:
            return {"sp_mchid": mine.number, "sp_appid": mine.app, "sub_mchid": mine.sub_merchant}
        return {"mchid": mine.number, "appid": mine.app}

    def _known(self, said: Mapping[str, Any], is_partner: bool, is_refund: bool) -> None:
        """Refuse requests for another merchant, or in the other mode. A refund names a partner's shop alone."""
        mine = self.merchant
        names = {"sub_mchid": mine.sub_merchant} if mine.sub_merchant else {}
        if not is_refund:
            names["sp_mchid" if is_partner else "mchid"] = mine.number
            if is_partner != bool(mine.sub_merchant):
                raise Refusal(403, "NO_AUTH")
        if any(said.get(name) != value for name, value in names.items()):
            raise Refusal(400, "APPID_MCHID_NOT_MATCH")


def _beijing(at: int) -> datetime.datetime:
    """A time in ms."""
    return datetime.datetime.fromtimestamp(at / 1000, _BEIJING)


def _day(at: int) -> datetime.date:
    return _beijing(at).date()


def _yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"
