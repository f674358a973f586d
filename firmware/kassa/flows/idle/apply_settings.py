# SPDX-License-Identifier: MIT
"""Applies the settings that the host may change, at boot and after a change. In memory only then."""

from micropython import const

from kassa.desk.card_velocity import CardVelocity
from kassa.desk.offline_limits import Limits
from kassa.flows.session import Session
from kassa.uplink import certificate
from kassa.vault.settings import settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.settings.settings import Settings

    Values = Settings | dict[int, bytes]


def apply(session: Session, values: "Values") -> None:
    """Apply the merchant's name and the till's limits; also read the validity of the terminal's certificate."""
    session.certificate_days = certificate.days(values.get(settings.CLIENT_CERTIFICATE, b""))
    session.name = str(values.get(settings.MERCHANT_NAME, b""), "utf-8")
    till, limits = session.till, Limits(values.get(settings.LIMITS, b""))
    till.largest = int.from_bytes(values.get(settings.LARGEST_SALE, bytes(6)), "big")
    till.limits = limits
    most = max(1, limits.count) if limits.set else 1
    if till.card_velocity.most != most and not till.journal.state.count:  # it counts the cards of pending payments
        till.card_velocity = CardVelocity(session.entropy, most)
