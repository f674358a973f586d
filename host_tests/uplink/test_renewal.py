# SPDX-License-Identifier: MIT
"""What the terminal takes as a renewal of its certificate: the same issuer, name and key, ending later. Nothing else."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from kassa.errors import SettingsError, WireError
from kassa.uplink import certificate
from kassa.uplink.renewal import Renewal, renews
from kassa.vault.settings.settings import CLIENT_CERTIFICATE
from tools.host.keys import pki

CA = pki.authority("Old Street Teahouse")
KEY = pki.new_key().public_key()


def signed(days: int = 730, tid: str = "KASSA001", key=KEY, ca: pki.Identity = CA) -> bytes:  # noqa: ANN001
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pki, "_TERMINAL_LASTS", datetime.timedelta(days=days))
        return pki.terminal_certificate(ca, tid, key).public_bytes(Encoding.DER)


OLD = signed(60)


class Kept:
    """Settings in memory."""

    def __init__(self, fails: bool = False) -> None:
        self.values = {CLIENT_CERTIFICATE: OLD}
        self.fails = fails

    def get(self, wanted: int) -> bytes:
        return self.values[wanted]

    def put(self, changes: dict[int, bytes]) -> None:
        if self.fails:
            raise SettingsError("settings read back wrong")
        self.values.update(changes)


def receive(kept: Kept, der: bytes, version: int | None = None) -> Renewal:
    sink = Renewal(kept)  # type: ignore[arg-type]
    sink.begin(len(der), int.from_bytes(hashlib.sha256(der).digest()[:4], "big") if version is None else version)
    for at in range(0, len(der), 192):
        sink.add(memoryview(der)[at : at + 192])
    sink.end()
    return sink


def test_a_renewal_is_stored_and_its_version_is_its_hash() -> None:
    kept, new = Kept(), signed()
    before = Renewal(kept).version  # type: ignore[arg-type]
    assert before.to_bytes(4, "big") == hashlib.sha256(OLD).digest()[:4]
    assert receive(kept, new).version.to_bytes(4, "big") == hashlib.sha256(new).digest()[:4]
    assert kept.values == {CLIENT_CERTIFICATE: new}


@pytest.mark.parametrize(
    "name", ["key", "name", "issuer", "earlier", "same", "longer", "shorter", "empty", "hash", "size"]
)
def test_anything_else_is_refused_and_the_old_one_stays(name: str) -> None:
    new = {
        "key": signed(key=pki.new_key().public_key()),
        "name": signed(tid="KASSA002"),
        "issuer": signed(ca=pki.authority("Another merchant")),
        "earlier": signed(59),
        "same": OLD,
        "longer": signed() + b"\0",
        "shorter": signed()[:-1],
        "empty": b"",
        "size": bytes(1025),
    }.get(name, signed())
    kept = Kept()
    with pytest.raises(WireError):
        receive(kept, new, 1 if name == "hash" else None)
    assert kept.values == {CLIENT_CERTIFICATE: OLD}


def test_flash_that_does_not_hold_it_keeps_the_old_one() -> None:
    kept = Kept(fails=True)
    with pytest.raises(SettingsError):
        receive(kept, signed())
    assert kept.values == {CLIENT_CERTIFICATE: OLD}


def test_no_bytes_raise_anything() -> None:
    """Every byte changed, and every end cut off."""
    new, taken = signed(), 0
    for at in range(len(new)):
        for value in (0, 0x80, 0xFF, new[at] ^ 1):
            taken += renews(OLD, new[:at] + bytes((value,)) + new[at + 1 :])
        assert not renews(OLD, new[:at])
    assert taken > 100  # a changed signature, serial number or extension is for the host to find


def test_validity_is_read_as_before() -> None:
    first, last = certificate.days(signed(60))
    today = (datetime.datetime.now(datetime.UTC) - datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)).days
    assert (first, last) == (today - 30, today + 60) and certificate.start(OLD) // 86400 == first
