# SPDX-License-Identifier: MIT
"""A support bundle of a terminal in safe mode: pulled over a serial line, encrypted, opened, and read as a journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import Cashier
from host_tests.harness.whole.support_desk import at_the_desk, run, safe_mode
from kassa import VERSION
from tools.journal import image
from tools.world.flash import PARTITIONS
from tools.world.power import FIRMWARE


def test_a_bundle_holds_the_journal_and_no_secret(
    make_cashier: Callable[..., Cashier], tmp_path: Path, keys: tuple[Path, Path], line: tuple[str, int]
) -> None:
    private, public = keys
    path, terminals_end = line
    cashier = make_cashier(source=FIRMWARE)
    cashier.sign_on()
    cashier.go_offline()
    cashier.sell(2000, "amber", "Accepted")
    cashier.sell(3000, "amber", "Accepted")
    cashier.world.power_off()
    home = cashier.world.home
    before, secret = (home / "flash.bin").read_bytes(), (home / "efuse.bin").read_bytes()
    safe_mode(cashier, terminals_end)
    bundle, opened = tmp_path / "terminal.ksb", tmp_path / "opened"
    pulled = at_the_desk(cashier, "pull", "--port", path, "--key", public, "--out", bundle)
    assert pulled.exit_code == 0, pulled.output
    cashier.world.power_off()
    assert (home / "flash.bin").read_bytes() == before
    base, size = PARTITIONS["journal"]
    journal = before[base : base + size]
    sealed = bundle.read_bytes()
    assert secret not in sealed and not any(
        journal[at : at + 64] in sealed for at in range(0, size, 256) if journal[at : at + 64] != b"\xff" * 64
    )
    result = run("open", bundle, "--key", private, "--out", opened)
    assert result.exit_code == 0, result.output
    assert "1 power keys" in result.output and VERSION in result.output
    assert (opened / "journal.bin").read_bytes() == journal
    records = image.read((opened / "journal.bin").read_bytes(), image.journal_key(secret)).records
    assert [record.amount for record in records.values()] == [2000, 3000]


def test_a_bundle_opens_with_its_key_alone_and_not_if_it_is_damaged(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from tools.support.bundle import BundleError, seal, unseal
    from tools.support.console import Found

    right, wrong = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    found = Found({"stop": "watchdog"}, bytes(range(256)) * 16, [(1, 256)])
    sealed = seal(found, right.public_key())
    assert unseal(sealed, right) == found
    assert seal(found, right.public_key()) != sealed
    with pytest.raises(BundleError):
        unseal(sealed, wrong)
    for at in range(0, len(sealed), 7):
        with pytest.raises(BundleError):
            unseal(sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :], right)
    for size in (0, 3, 47, 48, len(sealed) - 1):
        with pytest.raises(BundleError):
            unseal(sealed[:size], right)
    assert run("open", tmp_path / "none", "--key", keys[0], "--out", tmp_path / "out").exit_code == 1
    assert run("keys", *keys).exit_code == 1  # nothing is overwritten


def test_a_terminal_that_does_not_answer_gives_no_bundle(
    tmp_path: Path, keys: tuple[Path, Path], line: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.support.console._SILENCE_S", 0.2)
    result = run("pull", "--port", line[0], "--key", keys[1], "--out", tmp_path / "b")
    assert result.exit_code == 1 and "Hold C and E" in result.output and not (tmp_path / "b").exists()
