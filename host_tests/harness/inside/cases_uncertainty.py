# SPDX-License-Identifier: MIT
"""The terminal of cases_till, taking any kind of payment, and losing power or connection as the whole one does."""

import cases_till
from cases_till import Terminal

from kassa.desk import cardless_body
from kassa.uplink.connection_task import ConnectionTask
from kassa.vault.journal import layout


def _source(how):
    """(what is sealed, how many sequences back its original lies). `how`: track and extra (hex), or code, or original."""
    if how.get("original"):
        return cases_till._source("", how["original"])
    if how.get("code"):
        return cardless_body.scanned(how["code"].encode()), 0
    if not how.get("track"):
        return cardless_body.shown(), 0
    card = cases_till._card(how["track"])
    extra = bytes.fromhex(how.get("extra", ""))
    at = 2 + card.body[1] + 27  # behind what _card puts there
    card.body[at : at + len(extra)] = extra
    return card, 0


def ask(kind, amount, how):
    """The intent of a request, handed to the courier; its sequence."""
    source, back = _source(how)
    sequence = cases_till._now.till.take(layout.INTENT, kind, amount, source, back)
    cases_till._now.courier.submit(sequence)
    return sequence


def advise(kind, amount, how):
    """What is durable for good and then sent until it is answered; its sequence."""
    source, back = _source(how)
    return cases_till._now.till.take(layout.ACCEPTED, kind, amount, source, back)


def accept(amount, track, approved):
    """A sale without the host: to be authorised later, or approved by the card."""
    return cases_till._now.till.accept_offline(amount, cases_till._card(track), False, approved)


def cut(operation=1):
    """Power dies within this program or erase from now, and leaves nothing of it."""
    cases_till._now.chip.chip.cut_at(operation, "none")


def failed():
    """The connection ended, or none came about: what the line does then."""
    now = cases_till._now
    line = Terminal()
    line._courier, line._status = now.courier, now.status
    ConnectionTask._unsent(line)
    now.courier.lost()
