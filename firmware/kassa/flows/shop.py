# SPDX-License-Identifier: MIT
"""What a flow works with: the terminal's rooms, built once at boot by terminal.py."""

from micropython import const

from kassa.card.arena import Arena
from kassa.vault.layout import Record

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from kassa.clock import Clock
    from kassa.desk.named import Named
    from kassa.desk.supervisor import Supervisor
    from kassa.desk.till import Till
    from kassa.drivers.escpos import Printer
    from kassa.drivers.pn532 import PN532
    from kassa.drivers.scanner import Scanner
    from kassa.screens.ui import Ui
    from kassa.status import Status
    from kassa.uplink.courier import Courier
    from kassa.uplink.line import Line
    from kassa.vault.settings import Settings

_NO_CARD = "000000"
_IN_CASH = b"\x71\x77"  # kinds


class Shop:
    """Plain references, filled in by terminal.py; the name and ids are the merchant's."""

    def __init__(self, ui: "Ui", status: "Status") -> None:
        self.ui = ui
        self.status = status
        self.settings: "Settings"
        self.clock: "Clock"
        self.till: "Till"
        self.courier: "Courier"
        self.line: "Line"
        self.torn = False  # boot found a payment that was not finished
        self.reader: "PN532"
        self.printer: "Callable[[], Printer]"  # makes one, as the next
        self.scanner: "Callable[[], Scanner]"
        self.arena = Arena()
        self.name = ""
        self.merchant = ""
        self.terminal = ""
        self.valid = (0, 0)  # first and last day of this terminal's certificate, uplink.validity
        self.supervisor: "Supervisor | None" = None  # made when one is first asked for
        self.entropy: "Callable[[int], bytes]"

    def last(self) -> Record | None:
        """The newest payment, None when there was none yet."""
        journal = self.till.journal
        return Record(journal.last) if journal.last[0] else None

    def last_word(self, record: Record | None) -> str:
        """What became of the newest payment, as a text key; "" when there was none."""
        if record is None:
            return ""
        from kassa.desk.fate import fate

        return fate(record, self.till.journal.fate)

    def paid_with(self, record: "Record | Named") -> str:
        """How a payment was made, as a person reads it: its card's last digits, cash, or a code."""
        if record.first6 != _NO_CARD:
            return self.ui.t("fate_card", record.last4)
        return self.ui.t("r_cash" if record.type in _IN_CASH else "r_qr")
