# SPDX-License-Identifier: MIT
"""Cases for card handling: TLV, DOL, offline data authentication, and a transaction stepped answer by answer."""

from kassa.card import dol, offline_data_authentication, tlv, transaction
from kassa.card.arena import Arena
from kassa.card.evidence import Evidence
from kassa.card.terms import Terms

_arena = Arena()
_steps = None


class Known:
    """Scheme keys, as [RID, index, modulus in hex, exponent]. `revoked`: issuer certificates, as [RID, index, serial]."""

    def __init__(self, keys, revoked):
        self._keys = keys
        self._revoked = revoked

    def find(self, rid, index, date):
        for name, number, modulus, exponent in self._keys:
            if (bytes.fromhex(name), number) == (bytes(rid), index):
                return bytes.fromhex(modulus), exponent
        return None

    def revoked(self, rid, index, serial):
        return [bytes(rid).hex(), index, bytes(serial).hex()] in self._revoked


def walk(data):
    """Check a TLV tree and list its objects: [[depth, tag, value in hex, "" for a template]]."""
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
    """The values that a DOL requests, taken from the TLV in `known`; hex."""
    raw = bytes.fromhex(data)
    into = bytearray(300)
    end = dol.fill(raw, 0, len(raw), bytes.fromhex(known), into, 0)
    return into[:end].hex()


def begin(terms):
    """Start a transaction; returns the first command."""
    global _steps
    made = Terms(
        terms["amount"], terms["currency"], terms["country"], bytes.fromhex(terms["date"]), bytes.fromhex(terms["unpredictable"]),
        cvm_required=terms["cvm_required"], merchant=b"KASSA", risk=terms["risk"],
        capabilities=bytes.fromhex(terms["capabilities"]), applications=bytes.fromhex(terms["applications"]),
        trusted=True, number=terms["number"], time=bytes.fromhex(terms["time"]),
        authorities=Known(terms["authorities"], terms["revoked"]) if terms["authorities"] is not None else None,
    )  # fmt: skip
    _steps = transaction.read(made, _arena)
    return {"command": bytes(next(_steps)).hex()}


def answer(data):
    """Pass on the card's answer; returns the next command, or the outcome and the card data kept in the arena."""
    away = False
    try:
        command = _steps.send(memoryview(bytes.fromhex(data)))
        if command is None:
            away = True
            command = _steps.send(None)
        return {"command": bytes(command).hex()}
    except StopIteration as end:
        outcome = end.value
    return {
        "away": away,
        "kind": outcome.kind,
        "message": outcome.message,
        "expired": outcome.refusal == "card_expired",
        "refusal": outcome.refusal,
        "body": bytes(_arena.body).hex(),
        "first6": bytes(_arena.first6).hex(),
        "last4": bytes(_arena.last4).hex(),
    }


def give_up():
    """Abort the transaction in progress."""
    _steps.close()


def residue():
    """Count the non-zero bytes in the arena's buffers, except body and masked number."""
    parts = [_arena.command, _arena.answer, _arena.candidates, _arena.store] + [value for _, value in _arena._more]
    return sum(1 for part in parts for byte in part if byte)


def kept():
    """Count the non-zero bytes of body and masked number."""
    return sum(1 for part in (_arena.body, _arena.first6, _arena.last4) for byte in part if byte)


def prove(given):
    """Verify a certificate chain and signature up to `goal`: "issuer", "card", "static", "fast" or "combined".

    Returns the result of that step: the key in hex, True, the format and number, or the cryptogram.
    """
    evidence = Evidence()
    for tag, value in given["objects"]:
        raw = bytes.fromhex(value)
        evidence.take(int(tag, 16), raw, 0, len(raw))
    raw = bytes.fromhex(given["static"])
    evidence.add_static(raw, 0, len(raw))
    pan, date, aip = [bytes.fromhex(given[name]) for name in ("pan", "date", "aip")]
    authority = offline_data_authentication.Key(bytes.fromhex(given["authority"][0]), given["authority"][1])
    issuer, serial = offline_data_authentication.issuer_key(authority, evidence, pan, date)
    if given["goal"] == "issuer":
        return [issuer.modulus.to_bytes(issuer.size, "big").hex(), issuer.exponent, bytes(serial).hex()]
    if given["goal"] == "static":
        offline_data_authentication.check_sda(issuer, evidence, aip)
        return True
    card = offline_data_authentication.card_key(issuer, evidence, pan, date, aip)
    if given["goal"] == "card":
        return [card.modulus.to_bytes(card.size, "big").hex(), card.exponent]
    un = bytes.fromhex(given["un"])
    if given["goal"] == "fast":
        form, number = offline_data_authentication.check_fdda(
            card, evidence, un, bytes.fromhex(given["amount"]), b"\x01\x56"
        )
        return [form, bytes(number).hex()]
    return bytes(
        offline_data_authentication.check_cda(card, evidence, un, given["said"], bytes.fromhex(given["transaction"]))
    ).hex()
