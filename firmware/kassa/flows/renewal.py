# SPDX-License-Identifier: MIT
"""Takes over what of the settings the host may change: at a start, and when it did. In memory only then."""

from kassa.desk.limits import Limits
from kassa.desk.seen import SeenCards
from kassa.flows.shop import Shop
from kassa.modules import forget
from kassa.vault import settings


def renew(shop: Shop) -> None:
    """The merchant's name, the till's limits, and how long the terminal's certificate holds."""
    values = shop.settings
    from kassa.uplink import validity

    shop.valid = validity.days(values.get(settings.CLIENT_CERTIFICATE, b""))
    del validity
    forget("kassa.uplink.validity")
    shop.name = str(values.get(settings.MERCHANT_NAME, b""), "utf-8")
    till, limits = shop.till, Limits(values.get(settings.LIMITS, b""))
    till.largest = int.from_bytes(values.get(settings.LARGEST_SALE, bytes(6)), "big")
    till.limits = limits
    most = max(1, limits.count) if limits.set else 1
    if till.seen.most != most and not till.journal.state.count:  # while payments wait, their cards are remembered
        till.seen = SeenCards(shop.entropy, most)
