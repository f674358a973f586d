# SPDX-License-Identifier: MIT
"""WeChat Pay's daily trade bill: packed with gzip, its hash in a signed answer, a table of text in UTF-8.

Every value begins with a backtick, so that a comma inside a value does not end it. The last two lines are totals.
Source: pay.weixin.qq.com/docs/merchant/apis/native-payment/get-trade-bill.html and its list of columns.
"""

import hashlib
import re
import zlib
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from tools.host.acquirers.provider import BillLine
from tools.host.acquirers.wechat.api import Keys
from tools.host.errors import ProviderFault

_LARGEST = 64 << 20  # bytes, unpacked
_GZIP = 31  # zlib's wbits for gzip
_YUAN = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,6})?")
_ORDER, _STATE, _ID, _MERCHANT = "商户订单号", "交易状态", "微信订单号", "商户号"
_REFUND, _REFUND_ID, _REFUND_STATE = "商户退款单号", "微信退款单号", "退款状态"
_TOTAL, _BACK, _FEE, _CURRENCY, _SUB = "订单金额", "申请退款金额", "手续费", "货币种类", "特约商户号"
UNDO = "-undo"  # after the order's number: the number of the refund that undoes it
_NEEDED = (_ORDER, _STATE, _ID, _MERCHANT, _REFUND, _REFUND_ID, _REFUND_STATE, _TOTAL, _BACK, _FEE, _CURRENCY)
_COUNT = "总交易单数"


def unpack(packed: bytes, hash_: str) -> str:
    """The text of a bill. `hash_`: SHA-1 of the unpacked file in hex. Raises ProviderFault."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(packed, _LARGEST)
        text = plain.decode("utf-8-sig")
    except (zlib.error, UnicodeDecodeError):
        raise ProviderFault("a bill that is no gzip of text") from None
    if not unpacker.eof:
        raise ProviderFault("a bill that is cut off or too long")
    if hashlib.sha1(plain, usedforsecurity=False).hexdigest() != hash_.lower():
        raise ProviderFault("a bill with another hash")
    return text


def parse(text: str, keys: Keys) -> list[BillLine]:
    """The lines of a bill: payments, refunds and reversals. Raises ProviderFault for whatever is not understood.

    A reversal of a payment, or a refund that undoes it, has the reference of the order and a negative amount. A failed
    refund is left out.
    """
    rows = text.strip().splitlines()
    if len(rows) < 3:
        raise ProviderFault("a bill without totals")
    names, values = rows[0].split(","), [_split(row) for row in rows[1:-2]]
    totals = dict(zip(rows[-2].split(","), _split(rows[-1]), strict=False))
    lacks = [name for name in _NEEDED if name not in names]
    if lacks or totals.get(_COUNT) != str(len(values)):
        raise ProviderFault("a bill without its columns" if lacks else "a bill with another number of lines")
    if any(len(each) != len(names) for each in values):
        raise ProviderFault("a bill with a broken line")
    found = (_line(dict(zip(names, each, strict=True)), keys) for each in values)
    return [line for line in found if line is not None]


def _line(row: Mapping[str, str], keys: Keys) -> BillLine | None:
    if row[_MERCHANT] != keys.merchant or keys.sub_merchant and row.get(_SUB) != keys.sub_merchant:
        raise ProviderFault("a bill of another merchant")
    if row[_CURRENCY] != "CNY":
        raise ProviderFault("a bill in another currency")
    fee = fen(row[_FEE], rounds=True)
    state = row[_STATE]
    if state == "SUCCESS":
        return BillLine(row[_ORDER], fen(row[_TOTAL]), fee, row[_ID])
    if state == "REFUND":
        if row[_REFUND_STATE] in ("FAIL", "FAILED", "CLOSED"):
            return None
        undoes = row[_REFUND] == row[_ORDER] + UNDO  # then it is about the order
        return BillLine(row[_ORDER if undoes else _REFUND], -fen(row[_BACK]), fee, row[_REFUND_ID])
    if state == "REVOKED":
        return BillLine(row[_ORDER], -(fen(row[_BACK]) or fen(row[_TOTAL])), fee, row[_ID])
    raise ProviderFault(f"a bill with the state {state[:20]!a}")


def fen(yuan: str, rounds: bool = False) -> int:
    """Minor units of an amount such as 12.50. Fees have five decimals and are rounded, half up. Raises ProviderFault."""
    if not yuan.isascii() or not _YUAN.fullmatch(yuan):
        raise ProviderFault("a bill with an amount that is none")
    exact = Decimal(yuan) * 100
    whole = exact.to_integral_value(ROUND_HALF_UP)
    if whole != exact and not rounds:
        raise ProviderFault("a bill with a part of a fen")
    return int(whole)


def _split(row: str) -> list[str]:
    return row.strip().removeprefix("`").split(",`")
