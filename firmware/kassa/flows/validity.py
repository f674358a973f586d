# SPDX-License-Identifier: MIT
"""What is to be said of the certificates: one is over, or not valid yet, or this terminal's ends within a year."""

from micropython import const

from kassa.flows.shop import Shop

_DAY = const(86400)
_SOON = const(366)  # days
_VERY_SOON = const(30)


def told(shop: Shop) -> str:
    """One line, "" when all is well. It begins with "!" when it is a reason why the host cannot be reached."""
    t, (first, last) = shop.ui.t, shop.valid
    if not last:
        return ""
    today = shop.clock.now() // _DAY
    if today > last:
        return "!" + t("about_cert_over")
    if shop.clock.trusted and today < first - 1:  # our time is local, the certificate's is not
        return "!" + t("about_cert_early")
    if shop.line.dates:
        return "!" + t(("about_host_over", "about_cert_early")[shop.line.dates - 1])
    left = last - today
    if not shop.clock.trusted or left > _SOON:
        return ""
    return ("!" if left <= _VERY_SOON else "") + t("about_cert_left", left)


def silence(shop: Shop) -> str:
    """Why the host does not answer, as far as that is known."""
    line = told(shop)
    return line[1:] if line.startswith("!") and shop.valid[1] else shop.ui.t("fault_host")
