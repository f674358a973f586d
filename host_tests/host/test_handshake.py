# SPDX-License-Identifier: MIT
"""What a terminal says of itself in its handshake, beside the state of its journal."""

from __future__ import annotations

import os
import struct

import pytest

from host_tests.harness.host.desk import rows
from host_tests.harness.host.terminal import Terminal, element
from tools.sim.host import Host


def handshake(till: Terminal, news: bytes) -> bytes:
    body = struct.pack(">BHI", 1, till.epoch, till.sequence) + bytes(8) + news
    return till.management(0x0800, "900", os.urandom(16), {62: element(62, body)})


def said(host: Host) -> object:
    return rows(host, "SELECT firmware, waiting FROM terminal")[0]


def test_firmware_and_waiting_payments_are_stored(host: Host, till: Terminal) -> None:
    assert said(host) == (None, None), "the form without them"
    assert till.ask(handshake(till, b"\x00\x03" + b"0.2.0-rc1")).code == "00"
    assert said(host) == ("0.2.0-rc1", 3)
    assert till.ask(till.handshake()).code == "00"
    assert said(host) == ("0.2.0-rc1", 3)


@pytest.mark.parametrize("version", [b"", b"<b>1</b>", b"0.1\n", b"\xff\xfe", b"1" * 16])
def test_what_is_no_version_is_not_stored(host: Host, till: Terminal, version: bytes) -> None:
    assert till.ask(handshake(till, b"\x00\x00" + version)).code == "00"
    assert said(host) == (version.decode() if version == b"1" * 16 else None, 0)


@pytest.mark.parametrize("news", [b"\x00", b"\x00\x00" + b"1" * 17])
def test_another_size_is_no_handshake(host: Host, till: Terminal, news: bytes) -> None:
    till.send(handshake(till, news))
    with pytest.raises((EOFError, ConnectionError)):
        till.receive()
