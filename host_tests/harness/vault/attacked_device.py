# SPDX-License-Identifier: MIT
"""A device with a history at a real host, whose chip an attacker modifies; and a check of who notices."""

from __future__ import annotations

import copy
import datetime
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Record, Terminal, derive, mac
from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import ACCEPTED, INTENT, KEY, Flash
from tools.host.keys import pki
from tools.journal import image
from tools.sim.host import Host

SIZE = 5 * image.SECTOR  # a small ring, which five batches wrap around
NOON = datetime.datetime(2026, 11, 23, 12, 0, 0)
BATCH = 20
OLD_BATCHES = 4  # settled and closed
ANSWERED = 6  # of the open batch, one of them refused
REFUSED = OLD_BATCHES * BATCH + 3
LAST = (OLD_BATCHES + 1) * BATCH  # the newest record
_YES, _NO, _LATER = 1, 2, 3
_ALL = 64


def amount(sequence: int) -> int:
    """The amount of each payment."""
    return 1000 + sequence


def pages(data: bytes, sequence: int) -> list[int]:
    """Offsets of the valid pages of a record; the newest is last."""
    found = []
    for at in range(0, len(data), image.PAGE):
        page = data[at : at + image.PAGE]
        good = at % image.SECTOR and page[0] in (ACCEPTED, INTENT) and image.holds(KEY, page[:248], page[248:])
        if good and int.from_bytes(page[4:8], "big") == sequence:
            found.append((serial(data, at), at))
    return [at for _, at in sorted(found)]


def serial(data: bytes, at: int) -> int:
    """The serial of the sector at an offset, -1 if it is not in use."""
    header = data[at // image.SECTOR * image.SECTOR :][:48]
    return int.from_bytes(header[4:8], "big") if header[:2] == b"KJ" else -1


def tagged(said: bytes) -> bytes:
    """`said` plus its journal tag, which needs the device's secrets."""
    return said + image.mac.tag(KEY, said)


@dataclass
class Device:
    """A chip whose records are sealed under real DUKPT keys, and a connection to the host that can open them."""

    flash: Flash
    line: Terminal
    card: Card = field(default_factory=Card)
    past: list[bytes] = field(default_factory=list)  # an image of the chip with each batch pending
    host: Host | None = None

    # -- normal use -------------------------------------------------------------------------------------------------

    def accept(self, count: int) -> None:
        """Take `count` payments offline, then reseal them under keys that the host knows."""
        first = max(self.flash.read().records, default=0)
        steps = [["accept", first + index, amount(first + index + 1), ACCEPTED] for index in range(count)]
        result = self.flash.live([["prepare"], *steps, ["mark", 0x69, first + count]])
        assert not result["error"], result
        data = bytearray(self.flash.data)
        for sequence in range(first + 1, first + count + 1):
            for at in pages(bytes(data), sequence):
                data[at : at + image.PAGE] = self._sealed(bytes(data[at : at + image.PAGE]))
        self.flash.set(bytes(data))

    def _sealed(self, page: bytes) -> bytes:
        """The page with card data, the link to its predecessor, and correct tags."""
        header = bytearray(page[:64])
        body = self.card.tap(int(header[24:30].hex()))
        header[48:53] = body[2:5] + body[8:10]
        header[56:64] = self.line.head
        counter = struct.unpack_from(">I", header, 38)[0]
        encryptor = Cipher(algorithms.AES(derive(0x3000, counter)), modes.CBC(bytes(16))).encryptor()
        said = bytes(header) + encryptor.update(page[8:24] + body.ljust(160, b"\0"))
        self.line.head = mac(derive(0x2002, counter), said)
        return tagged(said + self.line.head)

    def handshake(self, state: dict[str, Any]) -> bool:
        """Whether the host accepts the journal's head."""
        at = pages(self.flash.data, state["last"])
        self.line.head = self.flash.data[at[-1] + 240 : at[-1] + 248] if at else bytes(8)
        return self.line.ask(self.line.handshake(sequence=state["sequence"])).elements[62][1] == 0

    def deliver(self, most: int = _ALL, refused: int = 0) -> list[str]:
        """Send the pending records and pass the answers to the device; the answer codes. `refused`: sequence to decline."""
        assert self.host
        later = self.flash.live([["drain", [_LATER] * most, list(range(most))]])
        assert not later["error"], later
        codes = []
        for sequence in later["done"][1]:
            self.host.mood = "decline 51" if sequence == refused else "normal"
            at = pages(self.flash.data, sequence)[-1]
            record = Record(self.flash.data[at : at + 248])
            codes.append(self.line.ask(self.line.sale(record, deferred=True)).code)
        meanings = [_YES if code in ("00", "94") else _NO for code in codes]
        result = self.flash.live([["drain", meanings, list(range(len(codes)))]])
        assert not result["error"], result
        return codes

    def settled(self) -> dict[int, int]:
        """Sequence -> amount of the records that the device considers settled in its open batch."""
        journal = self.flash.read()
        records = [record for record in journal.records.values() if record.sequence > journal.closed]
        return {record.sequence: record.amount for record in records if journal.state(record) == "settled"}

    def close(self) -> tuple[str, str]:
        """Close the batch with the device's totals: the host's result (1 balanced, 2 not balanced, 3 error) and text."""
        amounts = self.settled().values()
        answer = self.line.ask(self.line.close(sum(amounts), len(amounts)))
        return answer.elements[48].hex()[30], answer.text


def with_a_past(inside: Inside, folder: Path) -> Device:
    """A device with four settled batches; in the fifth some records are answered (one refused), the others pending."""
    device = Device(Flash(inside, folder / "chip.bin").set(b"\xff" * SIZE), Terminal(counter=100_000))
    host = start(folder / "host")
    pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
    connect(device, host)
    assert device.handshake(device.flash.live()["done"][0])
    for number in range(OLD_BATCHES):
        device.accept(BATCH)
        device.past.append(device.flash.data)
        assert set(device.deliver()) == {"00"}
        assert device.close()[0] == "1"
        device.line.batch = number + 2
        device.flash.live([["close"], ["prepare"]])
    device.accept(BATCH)
    codes = device.deliver(ANSWERED, REFUSED)
    assert len(codes) == ANSWERED and codes.count("00") == ANSWERED - 1
    assert device.handshake(device.flash.live()["done"][0])
    disconnect(device)
    return device


def start(home: Path) -> Host:
    """Start the host in its folder."""
    host = Host(home, now=lambda: NOON)
    host.register("KASSA001", "898000000000001", IKID.hex())
    return host.start()


def connect(device: Device, host: Host) -> None:
    device.host = host
    device.line.connect(host.port, host.home)


def disconnect(device: Device) -> None:
    device.line.hang_up()
    if device.host:
        device.host.stop()
        device.host = None


def again(past: Device, folder: Path) -> Device:
    """A copy of the device and its host, connected."""
    shutil.copytree(past.flash.path.parent, folder, dirs_exist_ok=True)
    flash = Flash(past.flash.inside, folder / "chip.bin")
    device = Device(flash, copy.deepcopy(past.line), copy.deepcopy(past.card), past.past)
    connect(device, start(folder / "host"))
    return device


def aftermath(device: Device, attack: Callable[[bytearray, Device], None]) -> set[str]:
    """Apply the attack to the chip, then power on, connect, send all and close the batch. Returns who noticed:

    `boot`: the device refuses the journal. `reading`: it counts a payment that it cannot read. `handshake`: the host
    rejects the reported journal head. `seal`: a record is refused for its seal. `chain`: a link is broken, or two
    records have one sequence. `gap`: a record is missing. `totals`: the batch does not balance.

    In every case, asserts that the host has each payment once, and no money except what it approved.
    """
    assert device.host
    data = bytearray(device.flash.data)
    attack(data, device)
    device.flash.set(bytes(data))
    first = device.flash.live([["state"], ["list"]])
    if first["error"]:
        if first["error"] == "JournalFull":  # no room for the mark that boot writes: out of service
            after = device.flash.data
            assert all(now & was == now for now, was in zip(after, data, strict=True)), "nothing was erased"
            return {"boot"}
        assert first["error"] == "JournalDamaged" and device.flash.data == data, "a damaged journal is left alone"
        return {"boot"}
    told = set()
    state = device.flash.live()["done"][0]
    if not device.handshake(state):
        told.add("handshake")
    if "30" in device.deliver():
        told.add("seal")
    if device.flash.live()["done"][0]["count"]:
        told.add("reading")
    view = device.host.view()
    terminal = view["terminals"][0]
    if terminal["quarantine"] and "handshake" not in told:
        told.add("chain")
    if terminal["gaps"]:
        told.add("gap")
    result, words = device.close()
    if result == "2" and "missing" not in words:
        told.add("totals")
    elif result != "1":
        assert "quarantine" in words or "missing" in words, words
    _books_hold(device)
    if not told:
        _nothing_happened(device)
    return told


def _books_hold(device: Device) -> None:
    assert device.host
    view = device.host.view()
    approved = [payment for payment in view["payments"] if payment["state"] == "APPROVED"]
    assert len({payment["uid"] for payment in view["payments"]}) == len(view["payments"])
    accounts = view["accounts"]
    held = ("terminal clearing", "merchant payable", "refunds", "quarantine")
    assert sum(accounts[name] for name in held) == -sum(payment["amount"] for payment in approved)
    assert all(payment["amount"] == amount(payment["sequence"]) for payment in approved)
    assert not view["unbalanced"] and len(approved) >= OLD_BATCHES * BATCH + ANSWERED - 1


def _nothing_happened(device: Device) -> None:
    """Nobody noticed because the attack had no effect: every payment is present, settled or refused by the host."""
    assert device.host
    payments = {payment["sequence"]: payment["state"] for payment in device.host.view()["payments"]}
    assert sorted(payments) == list(range(1, LAST + 1))
    assert {sequence for sequence, state in payments.items() if state == "DECLINED"} == {REFUSED}
