# SPDX-License-Identifier: MIT
"""Money that goes back: void and refund; and amounts that are held: the family of the pre-authorisation."""

from tools.scenes.stage import Stage


def void(stage: Stage) -> None:
    """A payment is voided"""
    stage.menu("void")
    stage.see("void-none", "void", "void_none")
    stage.home()
    stage.sell(3000)
    stage.sell(1250, "amber")
    stage.menu("void")
    stage.see("void-which", "void", "¥30.00", "¥12.50")
    stage.press("E")
    stage.see("void-agree", "void_ask", "void_supervisor")
    stage.press("E")
    stage.see("supervisor-code", "code_title")
    stage.press("111111E")
    stage.see("supervisor-wrong", "code_title", "code_wrong")
    stage.press("246813E")
    stage.see("voided", "voided", "¥12.50")


def refund(stage: Stage) -> None:
    """A refund of a card payment"""
    stage.sell(5000)
    reference = stage.number_on_slip("r_reference")
    stage.menu("refund")
    stage.see("refund-how", "refund_how", "refund_card")
    stage.press("E")
    stage.see("refund-amount", "amount_refund")
    stage.press("2000E")
    stage.see("refund-reference", "refund_reference", "refund_reference_hint")
    stage.press(reference + "E")
    stage.supervise()
    stage.tap()
    stage.see("refunded", "refunded", "¥20.00")
    stage.world.remove()


def refund_too_much(stage: Stage) -> None:
    """A refund of more than was paid"""
    reference = stage.number_on_slip("r_reference")
    stage.menu("refund")
    stage.press("E")
    stage.wait("amount_refund")
    stage.press("999900E")
    stage.wait("refund_reference")
    stage.press(reference + "E")
    stage.supervise()
    stage.tap()
    stage.see("refund-declined", "declined", "de39_code")
    stage.world.remove()


def refund_cash(stage: Stage) -> None:
    """A refund in cash"""
    stage.menu("refund")
    stage.wait("refund_how")
    stage.press("DDE")
    stage.wait("amount_refund")
    stage.press("300E")
    stage.supervise()
    stage.see("refund-cash", "cash_returned", "cash_returned_note")


def refund_code(stage: Stage) -> None:
    """A refund of a payment by code"""
    stage.menu("qr_scan")
    stage.wait("amount_qr")
    stage.press("990E")
    stage.wait("qr_code")
    stage.world.scan("134567890123456788")
    stage.wait("paid")
    stage.home()
    reference = stage.number_on_slip("r_reference")
    stage.menu("refund")
    stage.wait("refund_how")
    stage.press("DE")
    stage.wait("amount_refund")
    stage.press("400E")
    stage.see("refund-code-reference", "refund_reference", "refund_reference_code")
    stage.press(reference + "E")
    stage.supervise()
    stage.see("refund-code", "refunded", "¥4.00")


def preauth(stage: Stage) -> None:
    """An amount is held, then taken"""
    stage.menu("preauth")
    stage.see("preauth-amount", "amount_preauth")
    stage.press("10000E")
    stage.tap("lotus")
    stage.see("preauth-held", "preauthorised", "¥100.00", "auth_code")
    stage.world.remove()
    stage.home()
    code = stage.number_on_slip("r_auth")
    stage.menu("completion")
    stage.see("completion-amount", "amount_completion")
    stage.press("9000E")
    stage.see("completion-code", "preauth_code", "preauth_code_hint")
    stage.press(code + "E")
    stage.tap("lotus")
    stage.see("completed", "approved", "¥90.00")
    stage.world.remove()


def preauth_cancel(stage: Stage) -> None:
    """A held amount is released"""
    stage.menu("preauth")
    stage.wait("amount_preauth")
    stage.press("20000E")
    stage.tap("amber")
    stage.wait("preauthorised")
    stage.world.remove()
    stage.home()
    code = stage.number_on_slip("r_auth")
    stage.menu("preauth_cancel")
    stage.see("preauth-cancel-amount", "amount_preauth_cancel")
    stage.press("20000E")
    stage.wait("preauth_code")
    stage.press(code + "E")
    stage.supervise()
    stage.tap("amber")
    stage.see("preauth-cancelled", "voided", "¥200.00")
    stage.world.remove()


PLAYS = (void, refund, refund_too_much, refund_cash, refund_code, preauth, preauth_cancel)
