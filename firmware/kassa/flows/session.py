# SPDX-License-Identifier: MIT
"""What a flow works with: the terminal's rooms, built once at boot by terminal.py."""

from micropython import const

from kassa import transactions
from kassa.vault.journal.layout import Record

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kassa.card.arena import Arena
    from kassa.clock import Clock
    from kassa.desk.originals import Original
    from kassa.desk.supervisor import Supervisor
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
    """Plain references, filled in by terminal.py; the name and ids are the merchant's."""

    def __init__(self, ui: "Ui", status: "Status") -> None:
        self.ui = ui
        self.status = status
        self.settings: "Settings"
        self.clock: "Clock"
        self.till: "Till"
        self.courier: "Courier"
        self.connection: "ConnectionTask"
        self.torn = False  # boot found a payment that was not finished
        self.reader: "PN532"
        self.printer: "Callable[[], Printer]"  # makes one, as the next
        self.scanner: "Callable[[], Scanner]"
        self._arena: "Arena | None" = None
        self.name = ""
        self.merchant = ""
        self.terminal = ""
        self.valid = (0, 0)  # first and last day of this terminal's certificate, uplink.certificate
        self.supervisor: "Supervisor | None" = None  # made when one is first asked for
        self.entropy: "Callable[[int], bytes]"

    def card(self) -> "Arena":
        """The data of the card that is or was read, until `wipe_card`."""
        if self._arena is None:
            from kassa.card.arena import Arena

            self._arena = Arena()
        return self._arena

    def wipe_card(self) -> None:
        """Zero the data of the card and give back its memory."""
        if self._arena is not None:
            self._arena.wipe()
            self._arena = None

    def last(self) -> Record | None:
        """The newest payment, None when there was none yet."""
        journal = self.till.journal
        return Record(journal.last) if journal.last[0] else None

    def last_word(self, record: Record | None) -> str:
        """What became of the newest payment, as a text key; "" when there was none."""
        if record is None:
            return ""
        from kassa.desk.disposition import disposition

        return disposition(record, self.till.journal.disposition)

    def paid_with(self, record: "Record | Original") -> str:
        """How a payment was made, as a person reads it: its card's last digits, cash, or a code."""
        if record.first6 != _NO_CARD:
            return self.ui.t("card_digits", record.last4)
        return self.ui.t("r_cash" if record.type in (transactions.CASH, transactions.CASH_REFUND) else "r_qr")
