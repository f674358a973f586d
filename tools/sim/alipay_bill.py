# SPDX-License-Identifier: MIT
"""The daily bill of a simulated Alipay: a zip with two CSV files in GBK, one of payments and one of sums."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Sequence

from tools.sim.alipay_books import Entry, yuan

BEIJING = datetime.timezone(datetime.timedelta(hours=8))
_COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def of_day(entries: Sequence[Entry], day: datetime.date) -> list[Entry]:
    """The entries of a day in Beijing."""
    return [each for each in entries if _at(each).date() == day]


def packed(entries: Sequence[Entry], account: str = "20880000000000000156") -> bytes:
    """The zip."""
    counts = {kind: [each for each in entries if each.kind == kind] for kind in ("交易", "退款")}
    sums = {kind: yuan(sum(each.amount for each in found)) for kind, found in counts.items()}
    lines = [
        "#支付宝业务明细查询",
        f"#账号：[{account}]",
        "#-----------------------------------------业务明细列表----------------------------------------",
        _COLUMNS,
        *(_line(each) for each in entries),
        "#-----------------------------------------业务明细列表结束------------------------------------",
        f"#交易合计：{len(counts['交易'])}笔，商家实收共{sums['交易']}元，商家优惠共0.00元",
        f"#退款合计：{len(counts['退款'])}笔，商家实收退款共{sums['退款']}元，商家优惠退款共0.00元",
    ]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{account}_sums.csv", "#支付宝业务汇总查询\r\n门店编号,门店名称\r\n".encode("gbk"))
        archive.writestr(f"{account}_lines.csv", "\r\n".join([*lines, ""]).encode("gbk"))
    return made.getvalue()


def _line(entry: Entry) -> str:
    trade, amount, at = entry.trade, yuan(entry.amount), f"{_at(entry):%Y-%m-%d %H:%M:%S}"
    begin = [f"{trade.trade_no}\t", f"{trade.number}\t", entry.kind, "Kassa", at, at, *[""] * 4, "csq***@sandbox.com"]
    rest = [amount, amount, *["0.00"] * 5, "", "0.00", "0.00", f"{entry.request}\t" if entry.request else ""]
    return ",".join([*begin, *rest, yuan(entry.fee), "0.00", ""])


def _at(entry: Entry) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(entry.at / 1000, BEIJING)
