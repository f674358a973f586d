# SPDX-License-Identifier: MIT
"""The objects that flows work with, built once at boot."""

import asyncio

from micropython import const

from kassa import transactions
from kassa.vault.journal.layout import Record

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from kassa.card.arena import Arena
    from kassa.clock import Clock
    from kassa.desk.originals import Original
    from kassa.desk.supervisor_code import Supervisor
    from kassa.desk.till import Till
    from kassa.drivers.escpos import Printer
    from kassa.drivers.pn532 import PN532
    from kassa.drivers.scanner import Scanner
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
        self.printer: "Callable[[], Printer]"  # creates the driver, like `scanner`
        self.scanner: "Callable[[], Scanner]"
        self.buzzer: "Callable[[str], Coroutine] | None" = None
        self._arena: "Arena | None" = None
        self.name = ""
        self.merchant = ""
        self.terminal = ""
        self.certificate_days = (0, 0)  # first and last day of the terminal's certificate, see uplink.certificate
        self.supervisor: "Supervisor | None" = None  # created on first use
        self.entropy: "Callable[[int], bytes]"

    def beep(self, beep: str) -> None:
        """Begin a beep, see drivers/esp32_board.py, if the board has a buzzer. Returns at once."""
        if self.buzzer is not None:
            asyncio.create_task(self.buzzer(beep))

    def card(self) -> "Arena":
        """The buffer for the data of the card, until `wipe_card`."""
        if self._arena is None:
            from kassa.card.arena import Arena

            self._arena = Arena()
        return self._arena

    def wipe_card(self) -> None:
        """Zero the data of the card and release the buffer."""
        if self._arena is not None:
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
