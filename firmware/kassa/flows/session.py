# SPDX-License-Identifier: MIT
"""The objects that flows work with, built once at boot."""

import asyncio

from micropython import const

from kassa import transactions
from kassa.vault.journal.layout import Record

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kassa.card.arena import Arena
    from kassa.clock import Clock
    from kassa.desk.originals import Original
    from kassa.desk.till import Till
    from kassa.drivers.escpos import Printer
    from kassa.drivers.pn532 import PN532
    from kassa.drivers.scanner import Scanner
    from kassa.hardware import Board
    from kassa.screens.ui import Ui
    from kassa.status import Status
    from kassa.uplink.connection_task import ConnectionTask
    from kassa.uplink.courier import Courier
    from kassa.vault.settings.settings import Settings

    Flow = Callable[["Session"], Awaitable[None]]

_NO_CARD = "000000"


class Session:
    """Plain references, filled in at boot. `name`, `merchant` and `terminal` are the merchant's name and numbers."""

    def __init__(self, ui: "Ui", status: "Status") -> None:
        self.ui = ui
        self.status = status
        self.settings: "Settings"
        self.clock: "Clock"
        self.till: "Till"
        self.courier: "Courier"
        self.connection: "ConnectionTask"
        self.interrupted = False  # boot found a payment that had been interrupted
        self.reader: "PN532"
        self.printer: "Callable[..., Printer]"  # creates the driver, for 32 columns or so many; `scanner` is similar
        self.scanner: "Callable[[], Scanner]"
        self.board: "Board"
        self._arena: "Arena | None" = None
        self.printed = (0, b"")  # sequence of a payment, and what its receipt shows of the card's application
        self.name = ""
        self.merchant = ""
        self.terminal = ""
        self.certificate_days = (0, 0)  # first and last day of the terminal's certificate, see uplink.certificate
        self.operator = 0  # number of who is logged in, see desk/operators.py; 0: the main loop asks
        self.entropy: "Callable[[int], bytes]"

    def beep(self, beep: str) -> None:
        """Begin a beep, see drivers/esp32_board.py, if the board sounds. Returns at once."""
        board = self.board
        if board.loud and board.sounds:
            asyncio.create_task(board.beep(beep))

    def card(self) -> "Arena":
        """The buffer for the data of the card, until `wipe_card`."""
        if self._arena is None:
            from kassa.card.arena import Arena

            self._arena = Arena()
        return self._arena

    def wipe_card(self, sequence: int = 0) -> None:
        """Zero the data of the card and release the buffer. `sequence`: of the payment that was taken with it, if one was."""
        if self._arena is not None:
            if sequence:
                self.printed = (sequence, self._arena.printed)
            self._arena.wipe()
            self._arena = None

    def last(self) -> Record | None:
        """The newest payment, or None."""
        journal = self.till.journal
        return Record(journal.last) if journal.last[0] else None

    def last_disposition(self, record: Record | None) -> str:
        """The disposition of the newest payment `record` as a text key; "" for None."""
        if record is None:
            return ""
        from kassa.desk.disposition_word import disposition

        return disposition(record, self.till.journal.disposition)

    def paid_with(self, record: "Record | Original") -> str:
        """How a payment was made, as text: the last digits of the card, cash, or code."""
        if record.first6 != _NO_CARD:
            return self.ui.t("card_digits", record.last4)
        return self.ui.t("r_cash" if record.type in (transactions.CASH, transactions.CASH_REFUND) else "r_qr")
