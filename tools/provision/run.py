# SPDX-License-Identifier: MIT
"""Provisions a chip that has been flashed with Kassa, step by step.

The order makes every step repeatable. Settings come last: they make a terminal of the chip, so a chip without them was
interrupted, and a second run goes on with the secret and the keys that are there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.host.tables.card_entries import blob
from tools.provision import label
from tools.provision.chip import Chip, Facts, Held, Target
from tools.provision.device import Terminal, settings_blob, values
from tools.provision.errors import ChipFailed, Refused, SecretThere, TerminalTaken
from tools.provision.merchant_host import Known, MerchantHost
from tools.provision.repl import Repl

STEPS = {
    "connect": "stop the firmware",
    "examine": "look at what the chip holds",
    "secret": "make the device secret, on the chip",
    "keys": "derive the keys to seal with, on the chip",
    "keyring": "load the initial key",
    "register": "register the terminal at the host",
    "label": "draw the label",
    "cards": "write the card tables",
    "settings": "write the settings",
    "check": "open everything, on the chip",
    "restart": "start the terminal",
}


@dataclass(frozen=True)
class Done:
    """A provisioned terminal. `key_id`: initial key id, hex. `label`: the PNG for its case."""

    facts: Facts
    key_id: str
    check_value: str
    label: Path


def examine(port: str, targets: Sequence[Target], again: bool) -> tuple[Facts, Held]:
    """Look at a chip, before anything is asked of a person. Raises a ProvisionError if it is not to be provisioned."""
    with Repl(port) as repl:
        chip = Chip(repl, targets)
        return chip.facts, _held(chip, again)


def run(
    port: str,
    targets: Sequence[Target],
    terminal: Terminal,
    host: MerchantHost,
    labels: Path,
    *,
    again: bool = False,
    step: Callable[[str], None] = lambda name: None,
) -> Done:
    """Provision the chip at a serial port as `terminal`, whose supervisor code must be set. Its key id is chosen here.

    `labels`: folder for the label. `again`: the chip is a terminal already; its secret and keys stay. `step` is called
    with a key of STEPS before each. `targets`: see Chip. Raises a ProvisionError; its kind says whether anything was changed.
    """
    step("connect")
    with Repl(port) as repl:
        step("examine")
        chip = Chip(repl, targets)
        held = _held(chip, again)
        known = host.known(terminal.terminal_id)
        _judge(held, terminal.terminal_id, known)
        step("secret")
        if not held.secret:
            chip.make_secret()
        step("keys")
        settings_key, cards_key, kbpk = chip.sealing_keys()
        step("keyring")
        key_id = bytes.fromhex(held.keys or (known.next_key_id if known else "")) or host.new_key_id()
        if not held.keys:
            if (
                known and not known.awaits_device
            ):  # it has lost its keys: should this run end here, the next one must know the chip by the new ones
                host.register(terminal.terminal_id, terminal.merchant_id, key_id)
            _load_keys(chip, kbpk, key_id, host, known)
        step("register")
        host.register(terminal.terminal_id, terminal.merchant_id, key_id)
        step("label")
        check_value = host.check_value(key_id)
        drawn = label.save(labels, terminal, chip.facts.mac, check_value)
        step("cards")
        chip.blank("cards")
        chip.write("cards", 0, blob(cards_key, terminal.authorities))
        step("settings")
        terminal = replace(terminal, initial_key_id=key_id, host_name=host.name)
        _write_settings(chip, settings_key, terminal, host, held)
        step("check")
        _check(chip, terminal.terminal_id, key_id.hex())
        step("restart")
        chip.restart()
    return Done(chip.facts, key_id.hex(), check_value, drawn)


def _held(chip: Chip, again: bool) -> Held:
    held = chip.held()
    if held.terminal and not again:
        raise SecretThere(
            f"this chip has a secret and is terminal {held.terminal}. To give it new settings and certificates, say "
            "AGAIN=1; its secret and its keys stay."
        )
    return held


def _judge(held: Held, terminal_id: str, known: Known | None) -> None:
    """Whether this chip may have this terminal id at this host. Raises TerminalTaken, Refused.

    The keys tell. A chip that has lost them is known by its settings. A new chip may have an id that waits for one.
    """
    lost_keys = not held.keys and held.terminal == terminal_id
    own = known is not None and (known.key_id == held.keys or lost_keys)
    if known is not None and known.awaits_device and held.keys in ("", known.next_key_id) and not held.sequence:
        return
    if known is not None and not own:
        raise TerminalTaken(
            f"the host knows {terminal_id} with another chip's keys; choose another terminal id, or "
            "say kassa-host terminals replace"
        )
    if held.sequence and not own:
        raise Refused(
            f"this chip has taken payments{' as ' + held.terminal if held.terminal else ''}, and this host does not know "
            f"it as {terminal_id}. A journal keeps its terminal id and its host; for others run esptool erase-flash first."
        )


def _load_keys(chip: Chip, kbpk: bytes, key_id: bytes, host: MerchantHost, known: Known | None) -> None:
    """Give the chip an initial key. Counters that the host has seen under this terminal id are skipped."""
    chip.blank("keyring")
    chip.write("keyring", 0, host.keys.key_block(key_id, kbpk))
    if chip.load_keys(known.used if known else 0) != key_id.hex():
        raise ChipFailed("the chip could not load its initial key")


def _write_settings(chip: Chip, key: bytes, terminal: Terminal, host: MerchantHost, held: Held) -> None:
    """Write the new settings beside the old ones, and only then erase those."""
    identity = host.certify(terminal.terminal_id)
    content = values(terminal, terminal.supervisor_code, host.ca, identity, key)
    into = 1 - held.sector if held.terminal else 0
    if held.terminal:
        chip.blank("settings", into, 1)
    else:
        chip.blank("settings")
    chip.write("settings", into, settings_blob(key, content, held.generation + 1))
    if held.terminal:
        chip.blank("settings", held.sector, 1)


def _check(chip: Chip, terminal_id: str, key_id: str) -> None:
    terminal, keys, cards = chip.check()
    if (terminal, keys) != (terminal_id, key_id) or not cards:
        raise ChipFailed("the chip does not open what was written; run the command again with AGAIN=1")
