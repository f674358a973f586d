# SPDX-License-Identifier: MIT
"""The other ways to pay: cash, codes, tips, sales authorised by telephone; and a card's balance."""

from tools.scenes.stage import Stage


def cash(stage: Stage) -> None:
    """A cash sale with change"""
    stage.menu("cash")
    stage.see("cash-amount", "amount_cash", "amount_limit")
    stage.press("1250E")
    stage.see("cash-given", "amount_given", "amount_due")
    stage.press("1000E")
    stage.see("cash-short", "amount_given", "cash_short")
    stage.press("2000E")
    stage.see("cash-taken", "cash_taken", "cash_change", "¥12.50")


def customers_code(stage: Stage) -> None:
    """The customer shows a code"""
    stage.menu("qr_scan")
    stage.see("code-amount", "amount_qr")
    stage.press("990E")
    stage.see("code-scan", "qr_code", "qr_code_hint")
    stage.world.scan("134567890123456788")
    stage.see("code-paid", "paid", "¥9.90")
    stage.home()
    stage.menu("qr_scan")
    stage.press("4500E")
    stage.wait("qr_code")
    stage.world.scan("283456789012345655")
    stage.see_wait("code-customer-confirms", "qr_confirm", "¥45.00")
    stage.wait("paid")


def code_refused(stage: Stage) -> None:
    """A code without money, and one that is none"""
    stage.menu("qr_scan")
    stage.press("990E")
    stage.wait("qr_code")
    stage.press("1234E")
    stage.see("code-short", "qr_code", "number_short")
    stage.press("C")
    stage.home()
    stage.menu("qr_scan")
    stage.press("990E")
    stage.wait("qr_code")
    stage.world.scan("134567890123456751")
    stage.see("code-declined", "declined", "de39_code")


def code_shown(stage: Stage) -> None:
    """The terminal shows a code"""
    stage.menu("qr_show")
    stage.see("code-wallet", "qr_wallet", "Lightning")
    stage.press("E")
    stage.wait("amount_qr")
    stage.press("505E")
    stage.see_wait("code-shown", "qr_show", "qr_please_scan")
    stage.wait("paid")
    stage.home()
    stage.host.mood = "never"
    stage.menu("qr_show")
    stage.wait("qr_wallet")
    stage.press("E")
    stage.wait("amount_qr")
    stage.press("505E")
    stage.wait("qr_show", "qr_please_scan")
    stage.press("C")
    stage.see("code-given-up", "reversing", "qr_given_up")
    stage.press("E")
    stage.host.mood = "normal"
    stage.wait("home_hint", "reversed")


def tip(stage: Stage) -> None:
    """A tip on a sale"""
    stage.menu("tip")
    stage.see("tip-none", "tip", "adjust_none")
    stage.home()
    stage.sell(8000)
    stage.menu("tip")
    stage.see("tip-which", "tip", "¥80.00")
    stage.press("E")
    stage.see("tip-amount", "amount_tip", "amount_tip_note")
    stage.press("1000E")
    stage.see("tip-agree", "adjust_ask", "¥90.00", "adjust_from")
    stage.press("E")
    stage.see("tip-added", "accepted", "¥90.00", "adjust_from")


def voice(stage: Stage) -> None:
    """A sale that was authorised by telephone, and a correction"""
    stage.menu("voice")
    stage.see("voice-amount", "amount_voice")
    stage.press("4000E")
    stage.see("voice-code", "voice_code", "voice_code_hint")
    stage.press("123456E")
    stage.tap("amber")
    stage.see("voice-taken", "accepted", "auth_code", "¥40.00")
    stage.world.remove()
    stage.home()
    stage.menu("adjust")
    stage.see("adjust-which", "adjust", "¥40.00")
    stage.press("E")
    stage.see("adjust-amount", "amount_adjust", "adjust_from")
    stage.press("4510E")
    stage.see("adjust-agree", "adjust_ask", "¥45.10")
    stage.press("E")
    stage.supervise()
    stage.see("adjusted", "accepted", "¥45.10")


def balance(stage: Stage) -> None:
    """A card's balance"""
    stage.menu("balance")
    stage.see("balance-present", "present")
    stage.tap()
    stage.see("balance", "balance", "¥")
    stage.world.remove()


PLAYS = (cash, customers_code, code_refused, code_shown, tip, voice, balance)
