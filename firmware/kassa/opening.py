# SPDX-License-Identifier: MIT
"""What a start does before anything can be sold: opens the rooms in order, or says why it cannot. In memory only then."""

from micropython import const

from kassa.clock import Clock
from kassa.crypto.wipe import zero
from kassa.desk.limits import Limits
from kassa.desk.till import Till
from kassa.errors import (
    CryptoError,
    FlashFault,
    JournalDamaged,
    JournalFull,
    KassaError,
    KeyringError,
    ReaderFault,
    SettingsError,
)
from kassa.flows.renewal import renew
from kassa.flows.shop import Shop
from kassa.uplink.courier import Courier
from kassa.uplink.line import Line
from kassa.uplink.messages import Identity
from kassa.vault import settings
from kassa.vault.journal import Journal
from kassa.vault.keyring import Keyring
from kassa.vault.layout import number
from kassa.vault.settings import Settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Board

# What keeps the terminal from selling, and the two lines the cashier reads.
_FAULTS = (
    (JournalDamaged, "fault_journal", "fault_journal_note"),
    (KeyringError, "fault_keys", "fault_keys_note"),
    (CryptoError, "fault_keys", "fault_keys_note"),  # a key block that is not this device's, or a failed self-test
    (SettingsError, "fault_provision", "fault_provision_note"),
    (FlashFault, "fault_flash", ""),
    (JournalFull, "limit_full", ""),
)


async def run(board: "Board", shop: Shop) -> None:
    """Show that it starts, open the shop, start the card reader. Does not return when nothing can be sold."""
    ui = shop.ui
    await ui.show("wait", ui.t("start_title"), (ui.t("please_wait"),))
    try:
        _open(board, shop)
    except KassaError as error:
        await _out_of_service(shop, error)
    try:
        await board.reader.start()
    except ReaderFault:  # told once; sales say so again
        await ui.message("warn", ui.t("fault_reader"), (), "E=key_ok", 10000)


def _open(board: "Board", shop: Shop) -> None:
    """Self-test, settings, keys, journal, in this order. Raises a KassaError that keeps the terminal from selling."""
    from kassa.crypto.device import CARDS, JOURNAL, KBPK, KEYRING, SETTINGS, device_key, self_test
    from kassa.vault.mount import mount

    news = shop.status
    self_test(board.entropy)
    secret = board.device_secret
    values = Settings(board.settings, device_key(secret, SETTINGS), board.entropy)
    values.open()
    shop.ui.use(str(values.get(settings.LANGUAGE, b"zh"), "utf-8"))
    keyring = Keyring(board.keyring, device_key(secret, KEYRING), board.entropy)
    kbpk = device_key(secret, KBPK)
    try:
        keyring.open(kbpk)
    finally:
        zero(kbpk)
    key = device_key(secret, JOURNAL)
    journal = Journal(board.journal, key)
    zero(key)
    shop.torn = mount(journal).torn  # not the whole of it: that would keep a module of boot's in memory
    clock = Clock()
    clock.floor(max(journal.state.heard, number(journal.last, 44)))
    who = Identity(values.get(settings.TERMINAL), values.get(settings.MERCHANT))
    shop.settings, shop.clock = values, clock
    shop.entropy, shop.reader, shop.printer, shop.scanner = board.entropy, board.reader, board.printer, board.scanner
    shop.terminal, shop.merchant = str(who.terminal, "utf-8"), str(who.merchant, "utf-8")
    shop.till = Till(journal, keyring, Limits(values.get(settings.LIMITS, b"")), 0, clock, board.entropy)
    renew(shop)
    shop.courier = Courier(journal, keyring, who, clock, news, board.entropy)
    shop.courier.settings, shop.courier.cards = values, (board.cards, device_key(secret, CARDS))
    shop.line = Line(shop.courier, values, board.wifi, board.keypad, news, board.entropy)
    news.queue(journal.state)


async def _out_of_service(shop: Shop, error: KassaError) -> None:
    """Nothing is sold and nothing is erased; stay on this screen."""
    ui = shop.ui
    title, note = "fault_internal", ""
    for kind, named, told in _FAULTS:
        if isinstance(error, kind):
            title, note = named, told
    lines = [ui.t(title), ui.t("fault_code", str(error))]
    if note:
        lines.append(ui.t(note))
    while True:
        await ui.message("refuse", ui.t("fault_title"), lines, "", 60000)
