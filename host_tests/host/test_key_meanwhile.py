# SPDX-License-Identifier: MIT
"""A terminal's key changes while its journal is handed in: the records are its own, before and after that."""

from __future__ import annotations

import pytest

from host_tests.harness.host.broken import journal
from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import books, counts, day, hand_in
from host_tests.harness.host.terminal import IKID, Terminal
from tools.host.outside.issuer import Decision, Payment
from tools.host.transactions import terminal_keys
from tools.sim.host import Host


def change_key_when_asked(host: Host, monkeypatch: pytest.MonkeyPatch, other_device: bool) -> None:
    """The first payment that the issuer is asked about sees the terminal's next key come into use."""
    decide = host.simulator.decide
    with host.ledger.write() as db:
        planned = terminal_keys.plan(db, "KASSA001", "Ms Li", IKID[:4], other_device=other_device)
    used = []

    def use() -> None:
        with host.ledger.write() as db:
            assert planned.next_ikid is not None
            terminal_keys.register(db, "KASSA001", "898000000000001", planned.next_ikid)

    async def deciding(payment: Payment) -> Decision:
        if not used:
            used.append(1)
            await host.service.in_thread(use)
        return await decide(payment)

    monkeypatch.setattr(host.simulator, "decide", deciding)


@pytest.mark.parametrize("other_device", [False, True])
def test_a_hand_in_goes_on_when_the_terminal_gets_its_new_key(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch, other_device: bool
) -> None:
    held = day(till, card) + [till.record(500, card.tap(500)) for _ in range(70)]  # more than are sent together
    change_key_when_asked(host, monkeypatch, other_device)
    assert counts(hand_in(host, journal(*held))) == {"taken in": 73}
    assert books(host) == (4250 + 70 * 500, 800, 0)
