# SPDX-License-Identifier: MIT
"""Reads the keys of a wallet of kind "lnbits" in acquirers.toml."""

import re
import ssl
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.host.acquirers.lightning import price
from tools.host.acquirers.lightning.invoice import NETWORKS
from tools.host.acquirers.lightning.line import Line
from tools.host.acquirers.lightning.lnbits import LNbits
from tools.host.acquirers.section import Section

_KEY = re.compile(rb"[0-9a-f]{32}")
_MEMO = r"[ -~\u4e00-\u9fff]{1,40}"


def create(section: Section) -> LNbits:
    """An LNbits wallet. Raises SetupError, which names the key of acquirers.toml."""
    key = section.secret("key").strip()
    if not _KEY.fullmatch(key):
        raise section.wrong("key", "the secret is no key of an LNbits wallet (32 hex digits): take its invoice key")
    network = section.text("network", "bc")
    if network not in NETWORKS:
        raise section.wrong("network", "one of " + ", ".join(NETWORKS) + " is wanted")
    zone = section.text("zone", "Asia/Shanghai")
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise section.wrong("zone", "a time zone such as Asia/Shanghai is wanted") from None
    line = Line(section.url("url"), key.decode(), _trust(section))
    expiry = section.whole("expiry", 100, least=30, most=600)
    memo = section.text("memo", "Kassa", _MEMO, "up to 40 characters")
    return LNbits(line, _price(section), network, expiry, memo, place)


def _price(section: Section) -> price.Price:
    unit = section.text("unit", price.SAT)
    if unit not in (price.SAT, price.CNY):
        raise section.wrong("unit", f"{price.SAT} or {price.CNY} is wanted")
    names = ("rate", "rate") if unit == price.SAT else ("rate_least", "rate_most")
    rates = [
        price.Rate.read(section.text(name, form=price.FORM, means='satoshi for a yuan, as "142.86",')) for name in names
    ]
    if not rates[0].upper:
        raise section.wrong(names[0], "more than nothing is wanted")
    if rates[0].upper * rates[1].lower > rates[1].upper * rates[0].lower:
        raise section.wrong("rate_most", "it is less than rate_least")
    return price.Price(unit, *rates)


def _trust(section: Section) -> ssl.SSLContext:
    """The certificates that are trusted: those of the secret named `trust`, or the system's."""
    if not section.text("trust", ""):
        return ssl.create_default_context()
    try:
        context = ssl.create_default_context(cadata=section.secret("trust").decode("ascii"))
        if context.cert_store_stats()["x509"]:
            return context
    except (ssl.SSLError, ValueError):
        pass
    raise section.wrong("trust", "the secret holds no certificate (PEM)")
