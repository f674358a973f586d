# SPDX-License-Identifier: MIT
"""Decides which modules of kassa stay in memory: the only file that drops modules, or that names them as strings.

A module's functions and names take heap for as long as the module is known. Each phase of the terminal's work lists the
modules that stay; entering the phase drops all others, and the next import loads a dropped module again. So a file imports
at its top only what stays wherever it stays itself, and everything else inside the function that uses it
(host_tests/house/test_overlay.py).
"""

import sys

# Names below kassa; "room." stands for a whole room.
_ALWAYS = (
    " terminal overlay errors clock log money status transactions crypto.cmac crypto.dukpt crypto.sealing crypto.wipe"
    " drivers.esp32_board drivers.ili9341 drivers.keypad drivers.pn532 drivers.pn532_spi drivers.wifi vault.flash"
    " vault.journal.dispositions vault.journal.draft vault.journal.journal vault.journal.layout vault.journal.reader"
    " vault.journal.ring vault.journal.store vault.journal.tags vault.keyring.key_state vault.keyring.keyring"
    " vault.settings.settings uplink.answers uplink.connection_task uplink.courier uplink.identity"
    " uplink.request_result uplink.queue desk.card_velocity desk.offline_limits desk.till screens.canvas screens.font"
    " screens.message screens.screen screens.status_bar screens.theme screens.ui screens.words flows.session"
    " flows.idle.main_loop "
)
_PHASES = {  # of the cashier's work
    "idle": " desk.disposition_word flows.idle.home_page flows.steps.certificate_notes screens.amount screens.home ",
    "flow": " calendar card.arena card.tlv desk. flows.batch. flows.manage. flows.reverse. flows.sale. flows.steps.authorise"
    " flows.steps.certificate_notes flows.steps.take_offline flows.steps.show_outcome flows.steps.read_card flows.steps.receipt"
    " flows.steps.requirements flows.steps.ask_supervisor ",
    "tap": " card. flows.steps.show_outcome flows.steps.present_card flows.steps.read_card flows.steps.requirements ",
    "proof": " card.arena card.evidence card.tap_outcomes card.tap card.terms card.tlv card.transaction flows.steps.show_outcome"
    " flows.steps.present_card flows.steps.read_card flows.steps.requirements ",
    "closing": " flows.batch.settle ",
    "receipt": " calendar desk.disposition_word drivers.escpos flows.steps.show_outcome flows.steps.receipt gbk ",
}
_CONNECTION = {  # its phases, beside the cashier's
    "": "",
    "connecting": " calendar uplink. vault.journal. ",
    "idle": " uplink.tls_channel ",
    "connected": " uplink.batch_close uplink.exchange uplink.in_flight uplink.inbox uplink.iso8583 uplink.management"
    " uplink.build_requests uplink.outbox uplink.tls_channel ",
}

enabled = False  # the terminal switches it on, unless its board has memory to spare
_phase = "flow"
_link = ""


def enter(phase: str) -> None:
    """Begin a phase of the cashier's work, a key of _PHASES. Begun again, it drops what was loaded for a moment."""
    global _phase
    _phase = phase
    _drop()


def connection(phase: str) -> None:
    """Begin a phase of the connection to the host, a key of _CONNECTION; the cashier's phase goes on beside it."""
    global _link
    _link = phase
    _drop()


def _drop() -> None:
    """Drop what stays in no list that counts now. A module whose code still runs lives on until that ends."""
    if not enabled:
        return
    for name in [name for name in sys.modules if name.startswith("kassa.") and not _stays(name[6:])]:
        sys.modules.pop(name, None)
        package, _, module = name.rpartition(".")
        parent = sys.modules.get(package)
        if parent is not None and hasattr(parent, module):
            delattr(parent, module)


def _stays(name: str) -> bool:
    """Whether a module is listed, by itself or with its room. A package stays as long as anything in it may."""
    return _is_in(_ALWAYS, name) or _is_in(_PHASES[_phase], name) or _is_in(_CONNECTION[_link], name)


def _is_in(listed: str, name: str) -> bool:
    if _has(listed, name, " ."):
        return True
    dot = name.rfind(".")
    while dot >= 0:
        if _has(listed, name[: dot + 1], " "):
            return True
        dot = name.rfind(".", 0, dot)
    return False


def _has(listed: str, word: str, ends: str) -> bool:
    """Whether a word of the list is or begins with `word`: what follows is one of `ends`. Needs no memory of its own."""
    at = listed.find(word)
    while at >= 0:
        if listed[at - 1] == " " and listed[at + len(word)] in ends:
            return True
        at = listed.find(word, at + 1)
    return False
