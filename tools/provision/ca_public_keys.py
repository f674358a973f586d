# SPDX-License-Identifier: MIT
"""The keys of the test cards' schemes, as entries of a terminal's cards partition. Not meant for real cards."""

from tools.cards import certificates
from tools.cards.certificates import INDEX
from tools.host.tables.card_entries import SCHEMES, Authority


def _test(rid: bytes) -> Authority:
    key = certificates.key("authority")
    return Authority(rid, INDEX, key.public, key.exponent)


TEST = tuple(_test(rid) for rid in SCHEMES.values())
