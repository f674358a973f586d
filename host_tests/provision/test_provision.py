# SPDX-License-Identifier: MIT
"""A fresh chip is provisioned over its REPL; then the whole terminal boots, signs on and sells with it."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tests.harness.host import real_host
from host_tests.harness.provision import inspection
from host_tests.harness.provision.bench import Chip
from host_tests.harness.whole.cashier import QUICK, Cashier
from tools.device_key import device_key
from tools.host.transactions import terminal_keys
from tools.provision.chip import Target
from tools.provision.device import Terminal
from tools.provision.errors import BadInput, LinkLost, PaymentsThere, Refused, SecretLost, SecretThere, TerminalTaken
from tools.provision.merchant_host import MerchantHost
from tools.provision.run import STEPS, Done, run
from tools.whole_system import PROVISIONED, WholeSystem

CODE = "246813"
TERMINAL = Terminal(terminal_id="KASSA077", language="en", supervisor_code=CODE)


def provisioned(chip: Chip, unix: Target, host: MerchantHost, terminal: Terminal = TERMINAL, **options: object) -> Done:
    labels = chip.home.parent / "labels"
    return run(chip.port, [unix], terminal, host, labels, **options)  # type: ignore[arg-type]


def at_work(chip: Chip, host: MerchantHost, done: Done, terminal: Terminal = TERMINAL) -> Cashier:
    """The whole terminal with this chip, beside its host."""
    chip.pull()
    host.close()
    home = chip.home.parent
    (home / PROVISIONED).write_text(CODE)
    terminal = replace(terminal, initial_key_id=bytes.fromhex(done.key_id))
    return Cashier(WholeSystem(home, source=QUICK, terminal=terminal))


def wait_for_reset(chip: Chip) -> None:
    chip.wait(lambda: chip.was_reset)


def test_a_fresh_chip_becomes_a_terminal_that_sells(chip: Chip, unix: Target, merchant: MerchantHost) -> None:
    steps: list[str] = []
    done = provisioned(chip, unix, merchant, step=steps.append)
    assert steps == list(STEPS)
    wait_for_reset(chip)
    assert done.facts.mac == "02aabbccdd01" and len(chip.secret) == 32
    assert (chip.home / "radio.log").read_text() == "on\noff\n"  # the secret was drawn with the radio on
    cashier = at_work(chip, merchant, done)
    with cashier.system:
        cashier.sign_on()
        cashier.sell(1250)
        cashier.go_offline()
        cashier.sell(2000, "amber", "Accepted")
        cashier.drain()
        assert cashier.agree() == 3250
        assert "¥32.50" in cashier.settle()


def test_the_secret_never_crosses_the_cable(chip: Chip, unix: Target, merchant: MerchantHost) -> None:
    provisioned(chip, unix, merchant)
    heard, secret = bytes(chip.heard), chip.secret
    keys = {
        purpose: device_key(secret, purpose) for purpose in (b"settings", b"cards", b"kbpk", b"journal", b"keyring")
    }
    assert keys[b"settings"].hex().encode() in heard  # the ear hears
    for kept in (secret, secret[:16], keys[b"journal"], keys[b"keyring"]):
        for form in (
            kept,
            kept.hex().encode(),
            kept.hex().upper().encode(),
            base64.b64encode(kept)[:20],
            repr(kept).encode(),
        ):
            assert form not in heard
    assert TERMINAL.wifi_password.encode() not in heard and CODE.encode() not in heard


def test_what_was_written_opens_with_the_chips_secret_alone(chip: Chip, unix: Target, merchant: MerchantHost) -> None:
    done = provisioned(chip, unix, merchant)
    (values,) = inspection.settings(chip.home)
    assert values[0x01] == b"KASSA077" and values[0x0D] == b"en"
    assert values[0x0B].decode() == TERMINAL.wifi_password and values[0x04].decode() == merchant.name
    assert inspection.key_ids(chip.home) == {done.key_id} and inspection.staging_is_blank(chip.home)
    assert inspection.cards_hold(chip.home)
    with sqlite3.connect(chip.home.parent / "host" / "host.db") as db:
        assert db.execute("SELECT tid, mid, ikid FROM terminal").fetchall() == [
            (TERMINAL.terminal_id, TERMINAL.merchant_id, done.key_id)
        ]


def test_a_terminal_is_refused_untouched_unless_it_is_meant(chip: Chip, unix: Target, merchant: MerchantHost) -> None:
    first = provisioned(chip, unix, merchant)
    wait_for_reset(chip)
    before, secret = (chip.home / "flash.bin").read_bytes(), chip.secret
    (chip.home / "was_reset").unlink()
    with pytest.raises(SecretThere, match="is terminal KASSA077.*AGAIN=1"):
        provisioned(chip, unix, merchant)
    wait_for_reset(chip)  # it goes on selling
    assert (chip.home / "flash.bin").read_bytes() == before
    changed = replace(TERMINAL, wifi_name="new-shop", language="zh")
    second = provisioned(chip, unix, merchant, changed, again=True)
    assert chip.secret == secret and second.key_id == first.key_id
    assert inspection.key_ids(chip.home) == {first.key_id}
    (values,) = inspection.settings(chip.home)
    assert values[0x0A] == b"new-shop" and values[0x0D] == b"zh"


def test_a_terminal_with_payments_is_refused_until_they_are_settled(
    chip: Chip, unix: Target, merchant: MerchantHost, tmp_path: Path
) -> None:
    done = provisioned(chip, unix, merchant)
    wait_for_reset(chip)
    cashier = at_work(chip, merchant, done)
    host = MerchantHost(tmp_path / "host", test_keys=True)
    with cashier.system:
        cashier.sign_on()
        cashier.go_offline()
        cashier.sell(2000, "amber", "Accepted")
        cashier.world.power_off()
        before = (chip.home / "flash.bin").read_bytes()
        chip.plug()
        with pytest.raises(PaymentsThere, match="not sent yet"):
            provisioned(chip, unix, host, again=True)
        chip.pull()
        assert inspection.settings(chip.home) and inspection.key_ids(chip.home) == {done.key_id}
        assert [inspection.partition(chip.home, label) for label in ("settings", "keyring", "cards")] == [
            before[at : at + 0x8000] for at in (0x108000, 0x100000, 0x110000)
        ]
        cashier.world.radio.state = "on"
        cashier.back()
        cashier.drain()
        cashier.world.power_off()
        chip.plug()
        with pytest.raises(PaymentsThere, match="settle it at the terminal"):
            provisioned(chip, unix, host, again=True)
        chip.pull()
        cashier.back()
        cashier.home()
        assert "¥20.00" in cashier.settle()
        cashier.world.power_off()
        chip.plug()
        with pytest.raises(Refused, match="has taken payments as KASSA077"):
            provisioned(chip, unix, host, replace(TERMINAL, terminal_id="KASSA078"), again=True)
        again = provisioned(chip, unix, host, replace(TERMINAL, merchant_name="New Shop"), again=True)
        assert again.key_id == done.key_id
        chip.pull()
        host.close()
        cashier.sign_on()
        cashier.sell(700)
        assert "New Shop" in cashier.world.receipts[-1].text() and "¥7.00" in cashier.settle()


def test_a_journal_without_its_secret_is_refused(chip: Chip, unix: Target, merchant: MerchantHost) -> None:
    chip.pull()
    whole = bytearray((chip.home / "flash.bin").read_bytes())
    whole[0x3000:0x3100] = bytes(256)
    (chip.home / "flash.bin").write_bytes(whole)
    chip.plug()
    with pytest.raises(SecretLost):
        provisioned(chip, unix, merchant)
    assert (chip.home / "flash.bin").read_bytes() == whole and not (chip.home / "efuse.bin").exists()


def test_a_damaged_journal_is_refused(chip: Chip, unix: Target, merchant: MerchantHost) -> None:
    provisioned(chip, unix, merchant)
    chip.pull()
    whole = bytearray((chip.home / "flash.bin").read_bytes())
    whole[:0x1000] = bytes(0x1000)
    (chip.home / "flash.bin").write_bytes(whole)
    chip.plug()
    with pytest.raises(PaymentsThere, match="cannot be read"):
        provisioned(chip, unix, merchant, again=True)
    assert (chip.home / "flash.bin").read_bytes() == whole


def test_two_chips_cannot_be_the_same_terminal(
    new_chip: Callable[..., Chip], unix: Target, merchant: MerchantHost
) -> None:
    first = provisioned(new_chip("first"), unix, merchant)
    other = new_chip("other")
    with pytest.raises(TerminalTaken, match="KASSA077 with another chip's keys"):
        provisioned(other, unix, merchant)
    assert not (other.home / "efuse.bin").exists()
    second = provisioned(other, unix, merchant, replace(TERMINAL, terminal_id="KASSA078"))
    assert first.key_id[:8] == second.key_id[:8] == "12345678" and first.key_id != second.key_id


def test_a_terminal_does_not_take_over_its_namesake_at_another_host(
    new_chip: Callable[..., Chip], unix: Target, merchant: MerchantHost, tmp_path: Path
) -> None:
    other = MerchantHost(tmp_path / "other", test_keys=True)
    there = provisioned(new_chip("first"), unix, other)
    chip = new_chip("second")
    provisioned(chip, unix, merchant)
    with pytest.raises(TerminalTaken):
        provisioned(chip, unix, other, again=True)
    known = other.known("KASSA077")
    assert known is not None and known.key_id == there.key_id
    other.close()


def test_lost_keys_are_replaced_by_others_above_all_used_counters(
    chip: Chip, unix: Target, merchant: MerchantHost
) -> None:
    """The keyring rots: the terminal gets a new initial key, and no counter that the host has seen is used again."""
    first = provisioned(chip, unix, merchant)
    with merchant._ledger.write() as db:
        db.exec_driver_sql("UPDATE terminal SET message_mark = 5000")
    chip.pull()
    inspection.rot(chip.home, "keyring")
    chip.plug()
    second = provisioned(chip, unix, merchant, again=True)
    assert second.key_id != first.key_id and inspection.key_ids(chip.home) == {second.key_id}
    assert inspection.first_counter(chip.home) > 5000


def test_a_new_chip_takes_the_id_of_one_that_is_replaced(
    new_chip: Callable[..., Chip], unix: Target, merchant: MerchantHost, tmp_path: Path
) -> None:
    """The id waits for another device; a chip that is cut off half-way is recognised at the next run."""
    old = new_chip("old")
    first = provisioned(old, unix, merchant)
    wait_for_reset(old)
    new = new_chip("new")
    with pytest.raises(TerminalTaken, match="kassa-host terminals replace"):
        provisioned(new, unix, merchant)
    with merchant._ledger.write() as db:
        planned = terminal_keys.plan(db, "KASSA077", "Ms Li", other_device=True).next_ikid
    assert planned is not None

    def pulled(step: str) -> None:
        if step == "register":
            new.pull()

    with pytest.raises(LinkLost):
        provisioned(new, unix, merchant, step=pulled)
        raise AssertionError
    new.plug()
    done = provisioned(new, unix, merchant)
    assert done.key_id == planned.hex() != first.key_id
    known = merchant.known("KASSA077")
    assert known is not None and known.key_id == planned.hex() and not known.awaits_device
    with pytest.raises(TerminalTaken):  # the old chip is not welcome back
        provisioned(old, unix, merchant, again=True)
    with sqlite3.connect(tmp_path / "host" / "host.db") as db:
        assert db.execute("SELECT epoch FROM terminal").fetchall() == [(2,)]


def test_a_chip_is_provisioned_for_a_host_with_keys_and_a_ca_of_its_own(
    chip: Chip, unix: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk").mkdir(0o700)
    real_host.give_passphrases(tmp_path / "desk", monkeypatch.setenv)
    home, ca = tmp_path / "real", tmp_path / "desk" / "ca"
    with pytest.raises(BadInput, match="has no CA"):
        MerchantHost(home, ca)
    real_host.make_certificates(home, ca)
    with pytest.raises(BadInput, match="has no keys"):
        MerchantHost(home, ca)
    real_host.run("keys", "--home", home, "init")
    real_host.run("keys", "--home", home, "add-bdk", "31415926", "--new")
    merchant = MerchantHost(home, ca)
    done = provisioned(chip, unix, merchant)
    assert done.key_id.startswith("31415926") and not merchant.has_test_key
    assert merchant.name == real_host.NAME
    (values,) = inspection.settings(chip.home)
    held = x509.load_der_x509_certificate(values[0x08])
    assert f"{held.serial_number:x}" in real_host.run("ca", "--folder", ca, "list").output
    assert values[0x07] == merchant.ca.public_bytes(Encoding.DER)
    merchant.close()
