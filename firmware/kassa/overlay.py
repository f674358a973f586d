# SPDX-License-Identifier: MIT
"""Decides which modules of kassa stay in memory: the only file that drops modules.

A module's functions and names take heap for as long as the module is known. Each phase of the terminal's work lists the
modules that stay; entering the phase drops all others, and the next import loads a dropped module again. So a file imports
at its top only what stays wherever it stays itself, and everything else inside the function that uses it
(host_tests/house/test_overlay.py).
"""

import gc
import sys

# A name that ends with "." stands for a whole room, the package with it; every other name needs its packages listed too.
_ALWAYS = (  # split one string at a time: a list of all names takes memory
    (
        "kassa.clock kassa.errors kassa.log kassa.money kassa.overlay kassa.status kassa.terminal kassa.transactions"
        " kassa.crypto kassa.crypto.cmac kassa.crypto.dukpt kassa.crypto.sealing kassa.crypto.wipe"
    ),
    (
        "kassa.desk kassa.desk.card_velocity kassa.desk.offline_limits kassa.desk.till kassa.drivers kassa.drivers.esp32_board"
        " kassa.drivers.ili9341 kassa.drivers.keypad kassa.drivers.pn532 kassa.drivers.pn532_spi kassa.drivers.wifi"
    ),
    (
        "kassa.flows kassa.flows.idle kassa.flows.idle.main_loop kassa.flows.session kassa.screens kassa.screens.canvas"
        " kassa.screens.font kassa.screens.message kassa.screens.screen kassa.screens.status_bar kassa.screens.theme"
        " kassa.screens.ui kassa.screens.words"
    ),
    (
        "kassa.uplink kassa.uplink.answers kassa.uplink.connection_task kassa.uplink.courier kassa.uplink.identity"
        " kassa.uplink.queue kassa.uplink.request_result"
    ),
    (
        "kassa.vault kassa.vault.flash kassa.vault.journal kassa.vault.journal.dispositions kassa.vault.journal.draft"
        " kassa.vault.journal.journal kassa.vault.journal.layout kassa.vault.journal.reader kassa.vault.journal.ring"
        " kassa.vault.journal.store kassa.vault.journal.tags kassa.vault.keyring kassa.vault.keyring.key_state"
        " kassa.vault.keyring.keyring kassa.vault.settings kassa.vault.settings.settings"
    ),
)
_PHASES = {  # of the cashier's work
    "idle": "kassa.desk.disposition_word kassa.flows.idle.home_page kassa.flows.steps kassa.flows.steps.certificate_notes"
    " kassa.screens.amount kassa.screens.home",
    "flow": "kassa.calendar kassa.card kassa.card.arena kassa.card.tlv kassa.desk.batch kassa.desk.cardless_body"
    " kassa.desk.disposition_word kassa.desk.originals kassa.flows.batch kassa.flows.batch.settle kassa.flows.manage."
    " kassa.flows.reverse. kassa.flows.sale. kassa.flows.steps kassa.flows.steps.authorise"
    " kassa.flows.steps.certificate_notes kassa.flows.steps.read_card kassa.flows.steps.receipt"
    " kassa.flows.steps.requirements kassa.flows.steps.show_outcome kassa.flows.steps.take_offline"
    " kassa.vault.settings.device",
    "tap": "kassa.card. kassa.flows.steps kassa.flows.steps.present_card kassa.flows.steps.read_card"
    " kassa.flows.steps.requirements kassa.flows.steps.show_outcome",
    "proof": "kassa.card kassa.card.arena kassa.card.evidence kassa.card.tap kassa.card.tap_outcomes kassa.card.terms"
    " kassa.card.tlv kassa.card.transaction kassa.flows.steps kassa.flows.steps.present_card kassa.flows.steps.read_card"
    " kassa.flows.steps.requirements kassa.flows.steps.show_outcome",
    "closing": "kassa.flows.batch kassa.flows.batch.settle",
    "receipt": "kassa.calendar kassa.desk.disposition_word kassa.drivers.escpos kassa.flows.steps kassa.flows.steps.receipt"
    " kassa.flows.steps.show_outcome kassa.gbk",
}
_CONNECTION = {  # its phases, beside the cashier's
    "": "",
    "connecting": "kassa.calendar kassa.uplink. kassa.vault.journal.",
    "idle": "kassa.uplink.tls_channel",
    "connected": "kassa.uplink.batch_close kassa.uplink.build_requests kassa.uplink.exchange kassa.uplink.in_flight"
    " kassa.uplink.inbox kassa.uplink.iso8583 kassa.uplink.management kassa.uplink.outbox kassa.uplink.tls_channel",
}

enabled = False  # the terminal switches it on, unless its board has memory to spare
phase = "flow"  # of the cashier's work
_link = ""


def enter(begun: str) -> None:
    """Begin a phase of the cashier's work, a key of _PHASES. Begun again, it drops what was loaded for a moment."""
    global phase
    phase = begun
    _drop()


def connection(begun: str) -> None:
    """Begin a phase of the connection to the host, a key of _CONNECTION; the cashier's phase goes on beside it."""
    global _link
    _link = begun
    _drop()


def _drop() -> None:
    """Drop what stays in no list that counts now. A module whose code still runs lives on until that ends."""
    if not enabled:
        return
    gone = {name for name in sys.modules if name.startswith("kassa.")}
    for listed in _ALWAYS:
        _keep(gone, listed)
    _keep(gone, _PHASES[phase])
    _keep(gone, _CONNECTION[_link])
    for name in gone:
        sys.modules.pop(name, None)
        package, _, module = name.rpartition(".")
        parent = sys.modules.get(package)
        if parent is not None and hasattr(parent, module):
            delattr(parent, module)
    collect()


def collect() -> None:
    """Collect garbage, if memory is short. Boot calls it before it makes what stays: then that does not lie among garbage."""
    if enabled:
        gc.collect()


def collect_early() -> None:
    """From now on collect garbage before memory is short: a small heap fragments, a large one (PSRAM) is slow to walk."""
    gc.threshold(max(2048, gc.mem_free() // 32))


def _keep(gone: "set[str]", listed: str) -> None:
    """Take the listed names out of `gone`. Set and words are compared by hash: a search in the lists takes ten times longer."""
    for word in listed.split():
        if word.endswith("."):
            for name in [name for name in gone if name.startswith(word[:-1])]:
                gone.discard(name)
        else:
            gone.discard(word)
