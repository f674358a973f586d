# SPDX-License-Identifier: MIT
"""A terminal asks for the numbers of a payment that it prints again: it gets those of the answer, and only its own."""

from __future__ import annotations

import os

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Answer, Terminal, element
from tools.sim.host import Host


def asked(till: Terminal, body: bytes) -> Answer:
    return till.ask(till.management(0x0820, "364", os.urandom(16), {62: element(62, body)}))


def test_the_numbers_are_those_of_the_first_answer(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250), kind=0x52)
    first = till.ask(till.sale(record))
    again = asked(till, b"\x01" + record.uid)
    assert first.code == again.code == "00" and first.elements[37] and first.elements[38]
    assert (again.elements[37], again.elements[38]) == (first.elements[37], first.elements[38])


def test_a_declined_payment_has_no_authorisation_code(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "decline 51"
    record = till.record(1250, card.tap(1250), kind=0x52)
    first = till.ask(till.sale(record))
    host.mood = "normal"
    again = asked(till, b"\x01" + record.uid)
    assert again.code == "00" and 38 not in again.elements and again.elements.get(37) == first.elements.get(37)


def test_a_payment_that_this_terminal_did_not_send_is_not_found(host: Host, till: Terminal) -> None:
    assert asked(till, b"\x01" + os.urandom(16)).code == "25"


@pytest.mark.parametrize("size", [0, 16, 18, 200])
def test_another_length_ends_the_connection(host: Host, till: Terminal, size: int) -> None:
    with pytest.raises(EOFError, match="closed the line"):
        asked(till, bytes(size))
