# SPDX-License-Identifier: MIT
"""Sets up the printer: width of the paper, characters, copies. Each change can be tried at once with a test print."""

from micropython import const

from kassa.errors import FlashFault, SettingsError
from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

_PRINTER = const(0x20)  # setting, see flows/steps/paper.py
_ENTRIES = const("printer_width printer_characters printer_copies printer_test")
_STATES = const("printer_58_mm printer_80_mm printer_none printer_own printer_drawn printer_asked printer_always")
_WIDTHS = const(b"\x20\x30\x00")  # columns; 0 = no printer


async def set_up(session: Session) -> None:
    """Show what is set until the cashier goes back. An entry that is opened changes, or the test is printed."""
    ui, chosen = session.ui, 0
    while True:
        value = bytearray(session.settings.get(_PRINTER, b"\x20\x00"))
        width = max(0, _WIDTHS.find(value[:1]))
        states = _STATES.split()
        shown = [states[width], states[3 + (value[1] & 1)], states[5 + (value[1] >> 1 & 1)]]
        rows = [(ui.t(entry), ui.t(shown[at]) if at < 3 else "") for at, entry in enumerate(_ENTRIES.split())]
        chosen = await ui.list(ui.t("printer_set_up"), rows, at=chosen)
        if chosen is None:
            return
        if chosen == 3:
            from kassa.flows.steps import paper

            await paper.print_out(session, ("warn", ui.t("receipt_failed"), (), ""), False, _test)
            continue
        if chosen:
            value[1] ^= chosen
        else:
            value[0] = _WIDTHS[(width + 1) % 3]
        try:
            session.settings.put({_PRINTER: bytes(value)})
        except (FlashFault, SettingsError):
            await ui.message("warn", ui.t("not_done"), (ui.t("fault_flash"),))


def _test(session: Session, again: bool = False) -> "Iterator[tuple]":
    """A page that shows whether width, characters, sizes and codes are right."""
    from kassa.flows.steps import receipt

    t = session.ui.t
    rows = (
        (t("printer_characters"), "0123456789"),
        ("-", ""),
        (t("r_amount"), "¥1,234.50"),
        (t("r_thanks"), session.terminal),
    )
    for line in receipt.listing(session, t("printer_test"), rows, again):
        yield line
    yield "¥1,234.50", 2, True, 2
    yield session.terminal, 3, False, 1
