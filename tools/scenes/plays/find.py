# SPDX-License-Identifier: MIT
"""Looking up and printing: the last payment, a search, what waits to be sent, the batch, the offline limits."""

from tools.scenes.stage import Stage


def nothing_yet(stage: Stage) -> None:
    """Before the first payment"""
    for entry, said in (
        ("last", "last_none"),
        ("queue", "queue_empty"),
        ("refused_list", "refused_none"),
        ("detail", "detail_none"),
    ):
        stage.menu(entry)
        stage.see(f"{entry.replace('_', '-')}-none", entry, said)
        stage.home()


def last_payment(stage: Stage) -> None:
    """The last payment, and its receipt again"""
    stage.sell(12345)
    stage.menu("last")
    stage.see("last", "¥123.45", "row_state", "paid_with")
    stage.home()
    stage.menu("reprint")
    stage.see_wait("reprint", "receipt_printing")
    stage.wait("home_hint")


def search(stage: Stage) -> None:
    """A payment is found"""
    stage.sell(1250, "amber")
    stage.sell(1250)
    stage.menu("find_amount")
    stage.see("find-amount", "find_amount")
    stage.press("1250E")
    stage.see("found", "¥12.50", "0029", "0011")
    stage.press("E")
    stage.see("found-payment", "¥12.50", "row_state", "0011")
    stage.press("C")
    stage.wait("¥12.50", "0029", "0011")
    stage.press("DE")
    stage.wait("¥12.50", "row_state", "0029")
    stage.press("E")
    stage.see_passing("reprint-asking", "r_trace", "numbers_asked", "at_most")
    stage.home()
    stage.menu("find_card")
    stage.see("find-card", "find_card", "hint_card")
    stage.press("4242E")
    stage.see("found-none", "card_digits", "find_none")
    stage.home()
    stage.menu("find_date")
    stage.see("find-date", "find_date", "hint_date")
    stage.press("1399E")
    stage.see("find-no-day", "find_date", "hint_no_day")
    stage.home()
    stage.menu("find_state")
    stage.see("find-state", "find_state", "approved", "refused_later")
    stage.home()
    stage.menu("find_trace")
    stage.see("find-trace", "find_trace", "hint_trace")


def queue(stage: Stage) -> None:
    """What waits to be sent, and the limits"""
    stage.network("off")
    for amount, card in ((2000, "amber"), (3550, "ink"), (995, "lotus")):
        stage.sell(amount, card, "accepted")
    stage.menu("queue")
    stage.see("queue", "queue_title", "¥20.00", "¥35.50")
    stage.press("E")
    stage.see("queue-payment", "accepted", "accepted_note", "¥20.00")
    stage.home()
    stage.menu("limits")
    stage.see("limits", "limits", "room_left", "room_count")
    stage.home()
    stage.network("on")


def batch(stage: Stage) -> None:
    """The batch so far"""
    stage.menu("totals")
    stage.see("totals", "totals", "sum_total", "¥213.90")
    stage.home()
    stage.menu("detail")
    stage.see("batch-list", "detail", "¥123.45")


PLAYS = (nothing_yet, last_payment, search, queue, batch)
