# SPDX-License-Identifier: MIT
"""Card sales: typing, tapping, and every answer of card and host."""

from tools.scenes.stage import Stage


def amounts(stage: Stage) -> None:
    """Typing an amount"""
    stage.menu("sale")
    stage.see("amount-empty", "amount_sale", "amount_limit")
    stage.press("E")
    stage.see("amount-zero", "amount_sale", "amount_zero")
    stage.press("12345")
    stage.see("amount", "amount_sale", "¥123.45")
    stage.press("6789E")
    stage.see("amount-over", "amount_sale", "amount_over")
    stage.press("9999")
    stage.see("amount-full", "amount_sale", "amount_full")


def approved(stage: Stage) -> None:
    """A card sale"""
    stage.press("1250E")
    stage.see("sale-present", "present", "¥12.50", "present_hint")
    stage.tap()
    stage.see("sale-approved", "approved", "¥12.50", "auth_code")
    stage.world.remove()
    stage.press("E")
    stage.see("home-after-sale", "home_hint", "home_last")


def cancelled(stage: Stage) -> None:
    """The customer changes their mind"""
    stage.press("300EC")
    stage.see("sale-cancelled", "cancelled", "cancelled_note")
    stage.home()
    stage.press("300E")
    stage.wait("present")
    stage.see("sale-no-card", "cancelled", "no_card")


def cards(stage: Stage) -> None:
    """Cards that cannot be read, or not taken"""
    stage.press("800E")
    stage.tap("foreign")
    stage.see("card-other", "present", "other_card_hint")
    stage.world.remove()
    stage.press("C")
    stage.home()
    stage.press("800E")
    stage.tap("torn2")
    stage.see("card-once-more", "present", "try_again_hint")
    stage.press("C")
    stage.home()
    stage.press("800E")
    stage.tap("oversize")
    stage.see("card-error", "present", "card_error")
    stage.world.remove()
    stage.press("C")


def two_cards(stage: Stage) -> None:
    """Two cards on the reader"""
    stage.press("900E")
    stage.wait("present")
    stage.world.place(stage.card("jade"))
    stage.world.place(stage.card("amber"))
    stage.see("card-only-one", "present", "one_card_hint")
    stage.world.remove()
    stage.press("C")


def declined(stage: Stage) -> None:
    """The issuer declines; the card declines"""
    stage.host.mood = "decline 51"
    stage.press("1250E")
    stage.tap()
    stage.see("sale-declined", "declined", "de39_51", "de39_code")
    stage.world.remove()
    stage.home()
    stage.host.mood = "normal"
    stage.press("1250E")
    stage.tap("declines")
    stage.see("sale-card-declined", "declined", "declined_offline")
    stage.world.remove()


def waiting(stage: Stage) -> None:
    """The host takes its time"""
    stage.host.mood = "mute"  # answers the handshake
    stage.press("1250E")
    stage.tap()
    stage.see_wait("sale-authorising", "authorising", "¥12.50", "in_flight")
    stage.world.remove()
    stage.world.wait(lambda: not stage.sees("authorising"), "the end of waiting", 60)
    stage.host.mood = "normal"
    stage.home()
    stage.network("on")
    stage.world.wait(lambda: not stage.sees("home_hint", "home_reversing"), "the reversal's answer", 60)


def no_answer(stage: Stage) -> None:
    """No valid answer comes"""
    stage.host.mood = "wrong_amount"  # not "silent": then nothing is sent if the connection has just ended
    stage.press("1250E")
    stage.tap()
    stage.see("sale-reversing", "reversing", "reversing_note")
    stage.world.remove()
    stage.press("E")
    stage.see("home-reversing", "home_hint", "home_reversing")
    stage.host.mood = "normal"
    stage.world.wait(lambda: not stage.sees("home_hint", "home_reversing"), "the reversal's answer", 60)


PLAYS = (amounts, approved, cancelled, cards, two_cards, declined, waiting, no_answer)
