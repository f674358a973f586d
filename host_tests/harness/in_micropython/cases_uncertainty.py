# SPDX-License-Identifier: MIT
"""The terminal of cases_till with every kind of payment, and with loss of power or connection as in the whole terminal."""

import cases_till
from cases_till import Terminal

from kassa.desk import cardless_body
from kassa.uplink.connection_task import ConnectionTask
from kassa.vault.journal import layout


def _source(how):
    """(body to seal, how many sequences back the original is). `how`: track and extra (hex), or code, or original."""
    if how.get("original"):
        return cases_till._source("", how["original"])
    if how.get("code"):
        return cardless_body.scanned_code(how["code"].encode()), 0
    if not how.get("track"):
        return cardless_body.shown_code(b""), 0
    card = cases_till._card(how["track"])
    extra = bytes.fromhex(how.get("extra", ""))
    at = 2 + card.body[1] + 27  # after the objects from _card
    card.body[at : at + len(extra)] = extra
    return card, 0


def ask(kind, amount, how):
    """Store the intent of a request and submit it to the courier; its sequence."""
    source, back = _source(how)
    sequence = cases_till._now.till.take(layout.INTENT, kind, amount, source, back)
    cases_till._now.courier.submit(sequence)
    return sequence


def advise(kind, amount, how):
    """Store an advice, which is sent until it is answered; its sequence."""
    source, back = _source(how)
    return cases_till._now.till.take(layout.ACCEPTED, kind, amount, source, back)


def accept(amount, track, approved):
    """An offline sale: deferred, or approved by the card; its sequence."""
    return cases_till._now.till.accept_offline(amount, cases_till._card(track), False, approved)


def cut(operation=1):
    """Cut power at this flash operation from now; nothing of it is written."""
    cases_till._now.chip.chip.cut_at(operation, "none")


def failed():
    """Do what the connection task does after a connection failed or ended."""
    now = cases_till._now
    line = Terminal()
    line._courier, line._status = now.courier, now.status
    ConnectionTask._unsent(line)
    now.courier.disconnected()
