# SPDX-License-Identifier: MIT
"""Startup: opens settings, keys and journal in order, or shows why the terminal cannot sell. Loaded only at start."""

import asyncio

from micropython import const

from kassa import overlay
from kassa.clock import Clock, wake_rtc
from kassa.crypto.wipe import zero
from kassa.desk.offline_limits import Limits
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
from kassa.flows.idle import apply_settings
from kassa.flows.session import Session
from kassa.screens import font, theme
from kassa.screens.canvas import CENTRE
from kassa.uplink import certificate
from kassa.uplink.connection_task import ConnectionTask
from kassa.uplink.courier import Courier
from kassa.uplink.identity import Identity
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import number
from kassa.vault.keyring.keyring import Keyring
from kassa.vault.settings import device, settings
from kassa.vault.settings.settings import Settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Board

# Errors that put the terminal out of service, each with the two text keys shown to the cashier.
_FAULTS = (
    (JournalDamaged, "fault_journal", "fault_journal_note"),
    (KeyringError, "fault_keys", "fault_keys_note"),
    (CryptoError, "fault_keys", "fault_keys_note"),  # a key block of another device, or a failed self-test
    (SettingsError, "fault_provision", "fault_provision_note"),
    (FlashFault, "fault_flash", ""),
    (JournalFull, "limit_full", ""),
)


_STAFF, _LOCKED = const(0x17), const(0x18)  # settings, see desk/operators.py
_READ = (  # settings that are needed at once
    settings.TERMINAL, settings.MERCHANT, settings.MERCHANT_NAME, settings.CLIENT_CERTIFICATE, settings.LIMITS,
    settings.LANGUAGE, settings.LARGEST_SALE, settings.PROVISIONED, settings.SUPERVISOR, _STAFF, _LOCKED, device.DEVICE,
)  # fmt: skip
# The journal has local time, and its zone is known only once the host is heard. Local time and this is nowhere earlier than
# UTC, so no certificate looks too early that did not when the terminal was last in use.
_WESTMOST = const(43200)  # seconds
_ROW, _NOBODY = const(18), const(100)  # see desk/operators.py


async def run(board: "Board", session: Session) -> None:
    """Show the start screen, open the session, start the card reader. Does not return when the terminal cannot sell."""
    ui = session.ui
    session.board = board
    if not board.display_answers():
        print("kassa: the display does not answer")
        if board.buzzer is not None:
            asyncio.create_task(board.beep("display"))
    canvas = ui.canvas  # not a whole page: that would take a tenth of the start
    await canvas.text(80, 96, 160, ui.t("start_title"), theme.DAY, 0, CENTRE, font.TITLE)
    await canvas.text(80, 128, 160, ui.t("start_note"), theme.DIM, 0, CENTRE)
    try:
        _open(board, session)
    except KassaError as error:
        await _out_of_service(session, error)
    if board.sounds or board.led is not None and board.spare_memory:
        from kassa.flows.idle import signals

        asyncio.create_task(signals.run(session, board))
    try:
        overlay.collect()
        await board.reader.start()
    except ReaderFault:  # shown once here, and again at each sale
        await ui.message("warn", ui.t("fault_reader"), (), "E=key_ok", 10000)


def _open(board: "Board", session: Session) -> None:
    """Run the self-test, then open settings, keys and journal. Raises a KassaError when the terminal cannot sell."""
    overlay.collect()
    from kassa.crypto.device_keys import CARDS, JOURNAL, KBPK, KEYRING, SETTINGS, device_key, self_test
    from kassa.vault.journal.mount import mount

    news = session.status
    self_test(board.entropy)
    try:
        secret = board.device_secret
    except OSError:
        raise SettingsError("no device secret") from None
    overlay.collect()
    values = Settings(board.settings, device_key(secret, SETTINGS), board.entropy)
    found = values.open(_READ)
    session.ui.use(str(found.get(settings.LANGUAGE, b"zh"), "utf-8"))
    light, board.loud = device.levels(found.get(device.DEVICE, b""))
    if light < device.BRIGHTEST:
        board.shine(light)
    for needed in (settings.TERMINAL, settings.MERCHANT):
        if needed not in found:
            raise SettingsError("setting %d missing" % needed)
    overlay.collect()
    keyring = Keyring(board.keyring, device_key(secret, KEYRING), board.entropy)
    kbpk = device_key(secret, KBPK)
    try:
        keyring.open(kbpk)
    finally:
        zero(kbpk)
    overlay.collect()
    key = device_key(secret, JOURNAL)
    journal = Journal(board.journal, key)
    zero(key)
    session.interrupted = mount(journal).torn  # not the whole of it: that would keep a module of boot's in memory
    overlay.collect()
    clock = Clock(board.rtc)
    clock.advance_to(max(journal.state.heard, number(journal.last, 44)))
    own = found.get(settings.CLIENT_CERTIFICATE, b"")
    began, last, latest = certificate.start(own), certificate.days(own)[1], clock.now() + _WESTMOST
    if last and latest // 86400 > last:  # the host's clock was years ahead once: no certificate would be valid any more
        latest = 0
    provisioned = int.from_bytes(found.get(settings.PROVISIONED, b""), "big")
    wake_rtc(board.rtc, max(latest, began, provisioned))
    who = Identity(found[settings.TERMINAL], found[settings.MERCHANT])
    session.settings, session.clock = values, clock
    session.entropy, session.reader, session.printer, session.scanner = (
        board.entropy,
        board.reader,
        board.printer,
        board.scanner,
    )
    session.terminal, session.merchant = str(who.terminal, "utf-8"), str(who.merchant, "utf-8")
    if (
        (_STAFF in found or found.get(settings.SUPERVISOR))
        and not found.get(_LOCKED)
        and not _cashiers(found.get(_STAFF, b""))
    ):
        session.operator = _NOBODY
    overlay.collect()
    session.till = Till(journal, keyring, Limits(found.get(settings.LIMITS, b"")), 0, clock, board.entropy)
    apply_settings.apply(session, found)
    overlay.collect()
    session.courier = Courier(journal, keyring, who, clock, news, board.entropy)
    session.courier.settings, session.courier.cards = values, (board.cards, device_key(secret, CARDS))
    session.connection = ConnectionTask(session.courier, values, board.wifi, board.keypad, news, board.entropy)
    news.set_pending(journal.state)


def _cashiers(rows: bytes) -> bool:
    """Whether an operator is a cashier, so that cashiers log in. `rows`: of desk/operators.py, not loaded at each start."""
    for at in range(1, len(rows), _ROW):
        if rows[at] == ord("c"):
            return True
    return False


async def _out_of_service(session: Session, error: KassaError) -> None:
    """Show the fault until power-off. Nothing is sold and nothing is erased."""
    ui = session.ui
    title, note = "fault_internal", ""
    for kind, title_key, note_key in _FAULTS:
        if isinstance(error, kind):
            title, note = title_key, note_key
    lines = [ui.t(title), ui.t("fault_code", str(error))]
    if note:
        lines.append(ui.t(note))
    while True:
        await ui.message("refuse", ui.t("fault_title"), lines, "", 60000)
