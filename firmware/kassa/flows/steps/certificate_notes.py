# SPDX-License-Identifier: MIT
"""Warnings about certificates: one has expired or is not valid yet, or the terminal's expires within a year."""

from micropython import const

from kassa.flows.session import Session

_DAY = const(86400)
_SOON = const(366)  # days
_VERY_SOON = const(30)


def note(session: Session) -> str:
    """One line, or "" if there is no warning. It begins with "!" if it may be why the host is not reached."""
    t, (first, last) = session.ui.t, session.certificate_days
    if not last:
        return ""
    today = session.clock.now() // _DAY
    if today > last:
        return "!" + t("about_cert_over")
    if session.clock.trusted and today < first - 1:  # the terminal has local time, the certificate UTC
        return "!" + t("about_cert_early")
    if session.connection.certificate_fault:
        return "!" + t(("about_host_over", "about_cert_early")[session.connection.certificate_fault - 1])
    left = last - today
    if not session.clock.trusted or left > _SOON:
        return ""
    return ("!" if left <= _VERY_SOON else "") + t("about_cert_left", left)


def no_answer_reason(session: Session) -> str:
    """Why the host does not answer: a certificate, or the general text."""
    line = note(session)
    return line[1:] if line.startswith("!") and session.certificate_days[1] else session.ui.t("fault_host")
