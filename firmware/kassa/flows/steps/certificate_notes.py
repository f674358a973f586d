# SPDX-License-Identifier: MIT
"""Why there is no connection to the host; and warnings about certificates: one is out of date, or ends within 90 days."""

from micropython import const

from kassa.flows.session import Session

_FAULTY = ("early", "over", "name", "issuer", "refused")  # causes that do not pass by themselves
_DAY = const(86400)
_SOON = const(90)  # days
_VERY_SOON = const(30)


def note(session: Session) -> str:
    """One line, or "" if there is no warning. It begins with "!" if it may be why the host is not reached."""
    t, why, (first, last) = session.ui.t, session.ui.words.cause, session.certificate_days
    if not last:
        return ""
    today = session.clock.now() // _DAY
    if today > last:
        return "!" + t("about_cert_over")
    if session.clock.trusted and today < first - 1:  # the terminal has local time, the certificate UTC
        return "!" + why("early")
    if session.connection.cause in _FAULTY:
        return "!" + why(session.connection.cause)
    left = last - today
    if not session.clock.trusted or left > _SOON:
        return ""
    return ("!" if left <= _VERY_SOON else "") + t("about_cert_left", left)


def offline(session: Session) -> str:
    """One line for the home page: why there is no connection, "" if that is unknown or `note` says it."""
    cause = session.connection.cause
    return session.ui.words.cause(cause) if cause and cause not in _FAULTY else ""


def no_answer_reason(session: Session) -> str:
    """Why the host does not answer: a certificate, what the last attempt found, or the general text."""
    line = note(session)
    if line.startswith("!") and session.certificate_days[1]:
        return line[1:]
    return session.ui.words.cause(session.connection.cause or "silent")
