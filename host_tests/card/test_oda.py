# SPDX-License-Identifier: MIT
"""Offline data authentication: certificate chains made here and published ones, valid and with changed bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest

from host_tests.card.test_transcripts import turns
from host_tests.harness.in_micropython.runner import InsideError
from tools.cards import certificates
from tools.cards.tlv import leaves

PAN = "4761730000000011"
UN, AMOUNT, RELATED = "a1b2c3d4", "000000012345", "01112233440000"
STATIC = bytes.fromhex("5A0847617300000000115F24033112315F340101")
Chain = dict[str, Any]


def chain(goal: str, exponent: int = 3, form: int = 5) -> Chain:
    """A valid certificate chain, with the data it proves. `goal`: what the kernel is to prove."""
    authority, issuer = certificates.key("authority", exponent), certificates.key("issuer", exponent)
    card = certificates.key("card", exponent)
    aip = b"\x20\x00"
    objects = certificates.issuer_certificate(authority, issuer, PAN)
    objects |= certificates.card_certificate(issuer, card, PAN, STATIC + aip)
    objects |= {
        "9F4A": b"\x82",
        "9F69": bytes.fromhex(RELATED),
        "93": certificates.static_signature(issuer, STATIC + aip),
    }
    transaction = sha1(b"all that was said").digest()
    if goal == "combined":
        dynamic = b"\x08" + bytes(range(8)) + b"\x40" + bytes.fromhex("1122334455667788") + transaction
        objects["9F4B"] = certificates.dynamic_signature(card, dynamic, bytes.fromhex(UN))
    else:
        over = bytes.fromhex(UN + AMOUNT + "0156" + RELATED)
        objects["9F4B"] = certificates.dynamic_signature(card, b"\x02\x00\x07", over, form)
    return {
        "goal": goal,
        "objects": [[tag, value.hex()] for tag, value in objects.items()],
        "authority": [authority.public.hex(), exponent],
        "static": STATIC.hex(), "aip": aip.hex(), "pan": PAN.ljust(20, "F"), "date": "261123",
        "un": UN, "amount": AMOUNT, "said": 0x40, "transaction": transaction.hex(),
    }  # fmt: skip


def passes(cases: Callable[..., Any], given: Chain) -> bool:
    try:
        cases("card", "prove", given)
    except InsideError as error:
        assert error.kind == "CardError", error
        return False
    return True


@pytest.mark.parametrize("exponent", [3, 65537])
def test_a_valid_chain_authenticates_the_card(cases: Callable[..., Any], exponent: int) -> None:
    issuer, card = certificates.key("issuer", exponent), certificates.key("card", exponent)
    assert cases("card", "prove", chain("issuer", exponent)) == [issuer.public.hex(), exponent, "000001"]
    assert cases("card", "prove", chain("card", exponent)) == [card.public.hex(), exponent]
    assert cases("card", "prove", chain("static", exponent)) is True
    assert cases("card", "prove", chain("fast", exponent)) == [5, "0007"]
    assert cases("card", "prove", chain("fast", exponent, 0x95)) == [0x95, "0007"]
    assert cases("card", "prove", chain("combined", exponent)) == "1122334455667788"


@pytest.mark.parametrize("goal", ["fast", "combined", "static"])
def test_a_change_of_any_byte_fails_the_proof(cases: Callable[..., Any], goal: str) -> None:
    """Change each byte of the certificates, signatures and static data, one at a time."""
    good, count = chain(goal), 0
    used = {"fast": "90 92 9F32 9F46 9F48 9F47 9F4A 9F4B 9F69", "combined": "90 92 9F32 9F46 9F48 9F47 9F4A 9F4B",
            "static": "90 92 9F32 93 9F4A"}[goal].split()  # fmt: skip
    for place, (tag, value) in enumerate(good["objects"]):
        if tag not in used:
            continue
        for at in range(0, len(value), 2):
            wrong = value[:at] + f"{int(value[at : at + 2], 16) ^ (1 << count % 8):02x}" + value[at + 2 :]
            objects = [*good["objects"][:place], [tag, wrong], *good["objects"][place + 1 :]]
            assert not passes(cases, {**good, "objects": objects}), (tag, at // 2)
            count += 1
    for name in ("static", "aip"):
        for at in range(0, len(good[name]), 2):
            wrong = good[name][:at] + f"{int(good[name][at : at + 2], 16) ^ 1:02x}" + good[name][at + 2 :]
            assert not passes(cases, {**good, name: wrong}), (name, at // 2)
            count += 1
    print(f"{goal}: {count} bytes changed, none passed")
    assert count > 400


@pytest.mark.parametrize(
    "changes",
    [
        {"un": "a1b2c3d5"},
        {"amount": "000000012346"},
        {"pan": "4761730000000029".ljust(20, "F")},
        {"pan": "4761740000000011".ljust(20, "F")},
        {"date": "500101"},
        {"aip": "6000"},
        {"authority": [certificates.key("stranger").public.hex(), 3]},
        {"authority": [certificates.key("authority").public.hex(), 65537]},
        {"authority": [certificates.key("authority 1152").public.hex(), 3]},
    ],
)
def test_a_proof_is_invalid_for_another_payment_card_day_or_key(cases: Callable[..., Any], changes: Chain) -> None:
    assert not passes(cases, {**chain("fast"), **changes})


@pytest.mark.parametrize(
    ("rid", "index", "name"), [("A000000004", "EF", "contactless-mastercard"), ("A000000025", None, "amex-cda")]
)
def test_published_taps_verify(
    cases: Callable[..., Any], published: Path, rid: str, index: str | None, name: str
) -> None:
    """Cards from the schemes' own test sets: certificates, static data, CDA signature and transaction hash."""
    pairs = turns(published / f"transcripts/emv-bertlv/{name}.apdu")
    gpo = next((c, a) for c, a in pairs if c[1] == 0xA8)
    generate = next((c, a) for c, a in pairs if c[1] == 0xAE)
    options = leaves(gpo[1][:-2])
    afl = options.get("94") or options["80"][2:]
    aip = options.get("82") or options["80"][:2]
    objects, static = [], b""
    for at in range(0, len(afl), 4):
        for number in range(afl[at + 1], afl[at + 2] + 1):
            record = next((a[:-2] for c, a in pairs if c[:4] == bytes((0, 0xB2, number, afl[at] | 4))), b"")
            if not record:  # the recorded reader did not read it
                continue
            found = leaves(record)
            objects += [[tag, value.hex()] for tag, value in found.items()]
            if number - afl[at + 1] < afl[at + 3]:
                static += record[2:] if record[1] < 0x80 else record[3:]
    ac_answer = leaves(generate[1][:-2])
    body = generate[1][3:-2] if generate[1][1] & 0x80 else generate[1][2:-2]
    signature = bytes.fromhex("9F4B81") + bytes((len(ac_answer["9F4B"]),)) + ac_answer["9F4B"]
    if signature not in body:
        signature = bytes.fromhex("9F4B") + bytes((len(ac_answer["9F4B"]),)) + ac_answer["9F4B"]
    objects.append(["9F4B", ac_answer["9F4B"].hex()])
    known = dict((tag, value) for tag, value in objects)
    wanted = index or known["8F"].upper()
    keys = json.loads((published / "ca_keys/ca_keys.json").read_text())
    authority = next(one for one in keys if (one["rid"], one["index"]) == (rid, wanted) and one["sha1_ok"])
    pdol = gpo[0][7 : 7 + gpo[0][6]]
    cdol = generate[0][5 : 5 + generate[0][4]]
    un_at = _place(bytes.fromhex(known["8c"] if "8c" in known else known["8C"]), "9F37")
    given = {
        "goal": "combined", "objects": objects, "static": static.hex(), "aip": aip.hex(),
        "pan": known["5A"].ljust(20, "f"), "date": "100101", "authority": [authority["modulus"], int(authority["exponent"], 16)],
        "un": cdol[un_at : un_at + 4].hex(), "said": ac_answer["9F27"][0],
        "transaction": sha1(pdol + cdol + body.replace(signature, b"")).hexdigest(), "amount": "",
    }  # fmt: skip
    assert len(cases("card", "prove", given)) == 16
    assert not passes(cases, {**given, "un": "00000000"})


def _place(dol: bytes, wanted: str) -> int:
    """The offset of a tag's value in the data that a DOL asks for. Raises ValueError if the DOL lacks the tag."""
    at = value = 0
    while at < len(dol):
        width = 2 if dol[at] & 0x1F == 0x1F else 1
        if dol[at : at + width].hex().upper() == wanted:
            return value
        value += dol[at + width]
        at += width + 1
    raise ValueError(wanted)
