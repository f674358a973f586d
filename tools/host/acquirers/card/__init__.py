# SPDX-License-Identifier: MIT
"""A card acquirer over ISO 8583: [card] of acquirers.toml. docs/acquirer.md has every key."""

import dataclasses

from tools.host.acquirers.card import dialect, identity
from tools.host.acquirers.card.acquirer import CardAcquirer
from tools.host.acquirers.card.codec import Codec
from tools.host.acquirers.card.link import Address, Link
from tools.host.acquirers.card.requests import Numbers
from tools.host.acquirers.section import Section
from tools.host.errors import SetupError
from tools.host.store.ledger import Ledger

_MOST = {"connect": 10_000, "answer": 15_000, "echo": 3_600_000, "retry": 60_000, "retry_longest": 600_000}


def create(section: Section, ledger: Ledger) -> CardAcquirer:
    """The acquirer of a host. Raises SetupError, which names the key that is wrong."""
    try:
        spoken = dialect.load(section.text("dialect", "cup-1987"))
    except SetupError as fault:
        raise section.wrong("dialect", str(fault)) from None
    timers = {
        name: section.whole(f"{name}_ms", min(value, _MOST[name]), 1, _MOST[name])
        for name, value in spoken.timers.items()
    }
    spoken = dataclasses.replace(spoken, timers=timers)
    host = section.text("host")
    address = Address(host, section.whole("port", least=1, most=65535), section.text("name", host))
    member = section.text("member", form="[0-9]{1,11}", means="our id at the acquirer, up to 11 digits,")
    zone_key = _zone_key(section) if spoken.mac_key else b""
    numbers = Numbers(ledger)
    link = Link(spoken, Codec(spoken, zone_key), address, identity.context(section), numbers, member)
    return CardAcquirer(ledger, spoken, link, numbers, member)


def _zone_key(section: Section) -> bytes:
    """The secret `zone_key`: 16 bytes, or their 32 hex digits."""
    held = section.secret("zone_key").strip()
    if len(held) == 32:
        try:
            held = bytes.fromhex(held.decode("ascii"))
        except ValueError:
            held = b""
    if len(held) != 16 or held[:8] == held[8:]:
        raise section.wrong("zone_key", "a two-key TDES key of 16 bytes is wanted, or its 32 hex digits")
    return held
