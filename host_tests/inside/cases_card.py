# SPDX-License-Identifier: MIT
"""Cases of the card room: TLV, DOL, and a transaction stepped answer by answer."""

from kassa.card import dol, entry, tlv
from kassa.card.arena import Arena
from kassa.card.terms import Terms

_arena = Arena()
_steps = None


def walk(data):
    """Check a TLV tree, then list its objects: [[depth, tag, value in hex unless a template]]."""
    raw = bytes.fromhex(data)
    tlv.check(raw, 0, len(raw))
    found = []
    _list(tlv.Tlv(memoryview(raw)), 0, found)
    return found


def _list(cursor, depth, found):
    while cursor.next():
        value = "" if cursor.constructed() else bytes(cursor.data[cursor.start : cursor.end]).hex()
        found.append([depth, "%X" % cursor.tag, value])
        if cursor.constructed():
            _list(tlv.Tlv(cursor.data, cursor.start, cursor.end), depth + 1, found)


def fill(data, known):
    """The values a DOL asks for, from `known` TLV."""
    raw = bytes.fromhex(data)
    into = bytearray(300)
    end = dol.fill(raw, 0, len(raw), tlv.Tlv(bytes.fromhex(known)), into, 0)
    return into[:end].hex()


def begin(terms):
    """Start a transaction; the first command."""
    global _steps
    made = Terms(
        terms["amount"], 156, 156, bytes.fromhex(terms["date"]), bytes.fromhex(terms["unpredictable"]),
        cvm_required=terms["cvm_required"], merchant=b"KASSA",
    )  # fmt: skip
    _steps = entry.transaction(made, _arena)
    return {"command": bytes(next(_steps)).hex()}


def answer(data):
    """The card's answer: the next command, or the outcome with what is left in the arena."""
    try:
        return {"command": bytes(_steps.send(memoryview(bytes.fromhex(data)))).hex()}
    except StopIteration as end:
        outcome = end.value
    return {
        "kind": outcome.kind,
        "message": outcome.message,
        "expired": outcome.expired,
        "body": bytes(_arena.body).hex(),
        "first6": bytes(_arena.first6).hex(),
        "last4": bytes(_arena.last4).hex(),
    }


def give_up():
    """Close the transaction under way."""
    _steps.close()


def residue():
    """How many bytes of the arena, body and mask apart, are not zero."""
    return sum(1 for part in (_arena.command, _arena.answer, _arena.candidates, _arena.store) for byte in part if byte)


def kept():
    """How many bytes of body and mask are not zero."""
    return sum(1 for part in (_arena.body, _arena.first6, _arena.last4) for byte in part if byte)
