# SPDX-License-Identifier: MIT
# pyright: reportMissingImports=false
"""Runs under MicroPython: draws every page through the real driver and records the bytes on the display's bus.

    micropython tools/world/gallery_stage.py TAPE LANGUAGE

Tape record: kind (1 byte: C command, D data, N name of a finished page), length (u16, little-endian), bytes.
"""

import asyncio
import struct
import sys

from kassa import money
from kassa.drivers.ili9341 import ILI9341
from kassa.screens import listing
from kassa.screens.font import Font
from kassa.screens.ui import Ui
from kassa.status import LINK_BUSY, LINK_HOST, LINK_OFF, LINK_WIFI, Status


class Done(Exception):
    """The page waits for a key and the script has none left."""


class Tape:
    """An SPI bus and pins that only record what is written."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "wb")
        self.data = 1

    def record(self, kind: bytes, data) -> None:
        self.file.write(kind + struct.pack("<H", len(data)))
        self.file.write(data)

    def write(self, data) -> None:
        self.record(b"D" if self.data else b"C", data)

    def dc(self, level: int) -> None:
        self.data = level

    def pin(self, level: int) -> None:
        pass


class Script:
    """A keypad whose keys have all been pressed in advance."""

    def __init__(self) -> None:
        self.keys = b""

    def take(self) -> int:
        if not self.keys:
            return 0
        key = self.keys[0]
        self.keys = self.keys[1:]
        return key

    def flush(self) -> None:
        self.keys = b""

    async def get_within(self, timeout_ms: int) -> int:
        raise Done


def pages(ui: Ui, status: Status):
    """Yields (name, keys pressed, page) in turn, and sets the status before each page that shows it."""
    t = ui.t
    yen = money.text

    def message(*args, **more):
        return ui.message(*args, **more)

    status.link, status.clock_trusted = LINK_OFF, False
    yield (
        "starting",
        "",
        listing.sheet(
            ui,
            t("start_title"),
            [
                (t("test_crypto"), t("test_ok")),
                (t("test_journal"), t("test_ok")),
                (t("test_keys"), t("test_ok")),
                (t("test_reader"), t("test_ok")),
                (t("test_wifi"), t("test_wait")),
                (t("test_host"), t("test_wait")),
            ],
        ),
    )
    name = "阳光便利店" if ui.words.language == "zh" else "Sunshine Corner Store"
    status.link, status.pending_count, status.pending_sum = LINK_WIFI, 3, 12000
    yield (
        "home_offline",
        "",
        ui.home(name, lambda: ["!" + t("home_offline"), t("home_last", yen(8850)), t("home_queue", 3, yen(12000))]),
    )
    status.link, status.clock_trusted, status.pending_count, status.pending_sum = LINK_HOST, True, 0, 0
    yield "home", "", ui.home(name, lambda: [t("home_last", yen(8850) + "  " + t("approved"))], "M=key_menu D=last")
    yield "amount_empty", "", ui.amount(t("amount_sale"), 500000)
    yield "amount", "12345", ui.amount(t("amount_sale"), 500000)
    yield "amount_zero", "E", ui.amount(t("amount_sale"), 500000)
    yield "amount_over", "600000E", ui.amount(t("amount_sale"), 500000)
    yield "amount_full", "9876543210121", ui.amount(t("amount_sale"))
    yield "amount_cleared", "9876543210121BBBBBBB", ui.amount(t("amount_sale"))
    yield "present", "", message("tap", t("present"), [t("present_hint")], "C=key_cancel", amount=yen(12345))
    yield "reading", "", message("wait", t("reading"), [t("reading_hint")], "", amount=yen(12345))
    status.link = LINK_BUSY
    yield (
        "authorising",
        "",
        message("wait", t("authorising"), [t("authorising_time", 7)], "C=key_cancel", amount=yen(12345)),
    )
    status.link = LINK_HOST
    yield (
        "approved",
        "",
        message("ok", t("approved"), [t("approved_note"), t("auth_code", "A1B2C3")], "E=key_ok", amount=yen(12345)),
    )
    status.link, status.pending_count, status.pending_sum = LINK_OFF, 12, 1234567
    yield (
        "approved_card",
        "",
        message("ok", t("approved_card"), [t("approved_card_note")], "E=key_ok", amount=yen(12345)),
    )
    for why in ("declined_offline", "declined_proof"):
        yield why, "", message("refuse", t("declined"), [t(why), t("use_other")], "E=key_ok", amount=yen(12345))
    for why, then in (("other_card_hint", "use_other"), ("card_error", "card_error_hint")):
        yield why, "", message("tap", t("present"), [t(why), t(then)], "C=key_cancel", amount=yen(12345))
    yield (
        "card_listed",
        "",
        message("refuse", t("not_taken"), [t("card_listed"), t("use_other")], "E=key_ok", amount=yen(12345)),
    )
    yield (
        "accepted",
        "",
        message("hold", t("accepted"), [t("accepted_note"), t("accepted_risk")], "E=key_ok", amount=yen(12345)),
    )
    yield (
        "declined",
        "",
        message("refuse", t("declined"), [ui.words.reason("51"), t("de39_code", "51")], "E=key_ok", amount=yen(12345)),
    )
    status.reversing = True
    yield "reversing", "", message("warn", t("reversing"), [t("reversing_note")], "E=key_ok", amount=yen(12345))
    yield "not_taken", "", message("refuse", t("not_taken"), [t("not_taken_note")], "E=key_ok", amount=yen(12345))
    yield "cancelled", "", message("warn", t("cancelled"), [t("cancelled_note")], "E=key_ok", amount=yen(12345))
    status.refused_later = 1
    yield (
        "refused_later",
        "",
        message(
            "refuse",
            t("refused_later"),
            [t("refused_later_note"), t("card_digits", "4242")],
            "E=key_ok",
            amount=yen(12345),
        ),
    )
    status.reversing, status.refused_later = False, 0
    yield "unresolved", "", message("warn", t("unresolved"), [t("unresolved_note")], "E=key_ok", amount=yen(12345))
    yield "try_again", "", message("warn", t("try_again"), [t("torn"), t("try_again_hint")], "E=key_retry C=key_cancel")
    yield "one_card", "", message("warn", t("one_card"), [t("one_card_hint")], "E=key_retry C=key_cancel")
    yield (
        "limit",
        "",
        message(
            "refuse",
            t("limit_title"),
            [t("limit_sum", yen(2000), yen(100000)), t("limit_how")],
            "E=key_ok",
            amount=yen(12345),
        ),
    )
    yield (
        "fate",
        "",
        message(
            "hold",
            t("restart_title"),
            [t("restart_last", yen(12345)), t("card_digits", "4242"), t("restart_accepted"), t("restart_receipt")],
            "E=key_print C=key_skip",
        ),
    )
    yield "receipt", "", message("ask", t("receipt_title"), [], "E=key_print C=key_skip")
    yield (
        "settle_confirm",
        "",
        message(
            "ask",
            t("settle_confirm"),
            [t("settle_batch", "000017"), t("settle_counts", 42, yen(1234500))],
            "E=key_confirm C=key_cancel",
        ),
    )
    status.link, status.pending_count, status.pending_sum = LINK_HOST, 0, 0
    yield (
        "balanced",
        "",
        message(
            "ok",
            t("settle_balanced"),
            [t("settle_balanced_note"), t("settle_counts", 42, yen(1234500))],
            "E=key_ok",
            amount=yen(1234500),
        ),
    )
    yield (
        "unbalanced",
        "",
        message(
            "warn",
            t("settle_unbalanced"),
            [t("settle_unbalanced_note"), t("settle_terminal", 42, yen(1234500)), t("settle_host", 41, yen(1234000))],
            "E=key_ok",
        ),
    )
    yield "fault", "", message("refuse", t("fault_title"), [t("fault_journal"), t("fault_journal_note")], "")
    yield (
        "fault_key",
        "",
        message("refuse", t("fault_title"), [t("fault_key_unknown"), t("fault_code", "A0")], "E=key_retry"),
    )
    items = [t(key) for key in ("sale", "cash", "last", "queue", "settle", "selftest", "about", "change_language")]
    yield "menu", "", ui.menu(t("menu"), items)
    yield "menu_moved", "D", ui.menu(t("menu"), items)
    yield "menu_page_2", "DDDDD", ui.menu(t("menu"), items)
    rows = [("14:0%d  *%d" % (i, 4242 + i), yen(1250 * (i + 1))) for i in range(9)]
    yield "queue", "", ui.list(t("queue"), rows)
    yield "queue_page_2", "DDDDDDD", ui.list(t("queue"), rows)
    yield "queue_empty", "", ui.list(t("queue"), [])
    about = [(t("about_version"), "0.1.0"), (t("about_terminal"), "10000001"), (t("about_merchant"), "102290070111234"),
             (t("about_batch"), "000017"), (t("about_pending"), "0"), (t("about_memory"), "41 KiB")]  # fmt: skip
    yield "about", "", ui.list(t("about_title"), about, False)
    yield "code", "12", ui.code(t("code_title"), 6, bytearray(6))
    yield "language", "", ui.menu(t("language_title"), ["English", "中文"])


async def main() -> None:
    tape = Tape(sys.argv[1])
    display = ILI9341(tape, tape.pin, tape.dc, tape.pin, tape.pin)
    display.start()
    status, keys = Status(), Script()
    ui = Ui(display, keys, status, Font(), sys.argv[2])
    for name, pressed, page in pages(ui, status):
        keys.keys = pressed.encode()
        try:
            await page
        except Done:
            pass
        tape.record(b"N", name.encode())
    tape.file.close()


asyncio.run(main())
