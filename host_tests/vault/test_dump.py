# SPDX-License-Identifier: MIT
"""Flash and device secret together open no earlier payment; an old key state left in flash would."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.uplink.till import IKID, JOURNAL_SIZE, SECRET, Till, TinyHost
from host_tests.harness.vault import dump
from tools.device_key import device_key
from tools.host.keys import dukpt, seal
from tools.host.keys.host_keys import TEST_BDK, TestKeys
from tools.provision.device import Terminal, initial_key_block, settings_blob


def search(image: bytes, counters: set[int]) -> list[str]:
    return dump.search(image, SECRET, TEST_BDK, IKID, counters)


@pytest.fixture
def till(inside: Inside, tmp_path: Path) -> Till:
    return Till(inside, tmp_path / "chip.bin")


def trade(till: Till) -> tuple[set[int], list[bytes]]:
    """Three days of trade with restarts: the counters of all bodies and messages, and an image of each day's end."""
    counters: set[int] = set()
    images = []
    for _ in range(3):
        till.boot()
        till.sells(7)
        host = TinyHost(till)
        host.counter = max(counters, default=0)
        host.connect()
        host.settle()
        till.sells(3)
        counters |= {request.counter for request in host.seen}
        counters |= {record.counter for record in till.read().records.values()}
        images.append(till.chip())
    return counters, images


def with_settings(image: bytes) -> bytes:
    """The image plus a settings partition, which the device secret also opens."""
    values = {0x01: Terminal().terminal_id.encode(), 0x09: bytes(range(200)), 0x0B: b"virtual-air"}
    return image + settings_blob(device_key(SECRET, b"settings"), values).ljust(4096, b"\xff")


def test_a_dump_opens_no_payment_and_the_controls_are_found(till: Till) -> None:
    counters, images = trade(till)
    assert len(counters) == 3 * (7 + 3) + 3 + 7 + 10 + 10
    now = with_settings(images[-1])
    assert search(now, counters) == []
    tried = sum(1 for _ in dump.windows(now, SECRET))
    print(f"{len(counters)} KSNs, {len(dump.secrets_of(TEST_BDK, IKID, counters))} keys, {tried} windows")
    assert tried > 100_000
    # controls: data that the keyring must erase, put back
    old = images[0][JOURNAL_SIZE:]
    first_day = {counter for counter in counters if counter < dump.BLOCK}
    later = counters - first_day
    assert first_day and later
    assert search(now + old, first_day) == [] and search(now + old, counters) != []
    torn = bytearray(old)
    for at in range(0, len(torn), 4096):  # a half-erased old copy without its check value, but with its registers
        torn[at : at + 64] = b"\xff" * 64
        torn[at + 2048 : at + 2624] = b"\xff" * 576
    assert any("register" in word for word in search(now + bytes(torn), later))
    block = initial_key_block(device_key(SECRET, b"kbpk"), IKID, TEST_BDK)
    assert search(now + block.rjust(4096, b"\xff"), counters) == ["key block"]
    assert search(now + b"\xff" * 1000 + dukpt.initial_key(TEST_BDK, IKID) + b"\xff" * 3080, counters) == [
        "initial key"
    ]


def test_the_host_opens_every_body_and_the_chip_holds_no_card_number(till: Till) -> None:
    till.boot()
    till.sells(4)
    image = till.chip()
    for record in till.read().records.values():
        page = image[256 * record.sequence :][: seal.SIZE]
        found = seal.parse(page)
        assert seal.holds(found, seal.recomputed_tag(found, TestKeys(), IKID))
        track = seal.open_body(found, TestKeys(), IKID)["57"]
        assert track.hex().upper().startswith("62220200") and track not in image and track[:8] not in image
