# SPDX-License-Identifier: MIT
"""Alipay's daily bill: a zip with CSV files in GBK, of which one lists every payment and refund of a day.

Amounts are what customers paid and got back. What Alipay keeps of a payment is its fee and, if the merchant gave
discounts in the app, those: the difference to what it pays out.
"""

import asyncio
import csv
import datetime
import io
import re
import zipfile
from collections.abc import Sequence

from tools.host.acquirers.alipay import amounts, outcomes
from tools.host.acquirers.alipay.checks import text
from tools.host.acquirers.alipay.gateway import Gateway
from tools.host.acquirers.alipay.undo import SUFFIX
from tools.host.acquirers.provider import BillLine
from tools.host.errors import ProviderFault

UNPACKED = 64 << 20  # bytes of all files of a bill
_FILES = 10
_PAYMENT, _REFUND = "交易", "退款"
_END = "业务明细列表结束"
_COUNT = re.compile(r"#(交易|退款)合计：([0-9]{1,9})笔")
_THEIRS, _ORDER, _KIND, _NUMBER = "支付宝交易号", "商户订单号", "业务类型", "退款批次号/请求号"
_AMOUNT, _RECEIVED, _FEE = "订单金额（元）", "商家实收（元）", "服务费（元）"


async def fetch(gateway: Gateway, day: datetime.date) -> Sequence[BillLine] | None:
    """The lines of a day; None if there is no bill, or none yet. Raises ProviderFault."""
    answer = await gateway.ask(
        "alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade", "bill_date": day.isoformat()}
    )
    if answer.get("code") != outcomes.DONE:
        if outcomes.sub_code(answer).rpartition(".")[2].upper() == "BILL_NOT_EXIST":
            return None
        outcome = outcomes.of(answer, {})
        raise ProviderFault(f"no bill: {outcome.their_code}")
    packed = await gateway.download(text(answer, "bill_download_url"))
    return await asyncio.to_thread(read, packed)


def read(packed: bytes) -> list[BillLine]:
    """The lines of a bill. Raises ProviderFault if it is no bill, or not whole."""
    for content in _files(packed):
        try:
            lines = re.split("\r?\n", content.decode("gb18030"))  # a superset of GBK
        except UnicodeDecodeError:
            raise ProviderFault("a bill that is not in GBK") from None
        begin = next((at for at, line in enumerate(lines) if line.startswith(_THEIRS + ",")), None)
        if begin is not None and _AMOUNT in lines[begin] and _FEE in lines[begin]:
            return _lines(lines[begin:])
    raise ProviderFault("a bill without a list of payments")


def _files(packed: bytes) -> Sequence[bytes]:
    """All files of a zip, of which nothing is unpacked beyond the limit, whatever it says about its sizes."""
    contents, left = [], UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            for name in archive.infolist()[:_FILES]:
                with archive.open(name) as file:
                    content = file.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise ProviderFault("a bill that is too long")
                contents.append(content)
    except ProviderFault:
        raise
    except Exception:  # of zipfile, and of what it unpacks with
        raise ProviderFault("a bill that is no zip") from None
    return contents


def _lines(lines: Sequence[str]) -> list[BillLine]:
    """`lines`: from the one with the names of the columns on."""
    end = next((at for at, line in enumerate(lines) if line.startswith("#")), len(lines))
    foot = "\n".join(lines[end:])
    if _END not in foot:
        raise ProviderFault("a bill that is cut off")
    kinds: dict[str, int] = {_PAYMENT: 0, _REFUND: 0}
    found = []
    try:
        for row in csv.DictReader(lines[:end], strict=True):
            values = {str(name).strip(): str(value or "").strip() for name, value in row.items()}
            kinds[values[_KIND]] += 1
            found.append(_line(values))
    except (KeyError, csv.Error):
        raise ProviderFault("a bill with a line that is none") from None
    for kind, count in _COUNT.findall(foot):
        if kinds[kind] != int(count):
            raise ProviderFault("a bill that does not have as many lines as it says")
    return found


def _line(values: dict[str, str]) -> BillLine:
    amount, order = amounts.fen(values[_AMOUNT]), values[_ORDER]
    if (amount < 0) != (values[_KIND] == _REFUND) and amount:
        raise ProviderFault("a bill with an amount of the wrong sign")
    kept = amount - amounts.fen(values[_RECEIVED]) - amounts.fen(values[_FEE])
    number = values[_NUMBER] if values[_KIND] == _REFUND else ""
    reference = order if number in ("", order, order + SUFFIX) else number  # what undoes an order is about the order
    return BillLine(reference, amount, kept, values[_THEIRS])
