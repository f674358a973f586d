# SPDX-License-Identifier: MIT
"""Trouble: no network, a refusal that comes later, no paper, power cuts, the limits of what is taken offline."""

from tools.scenes.stage import Stage


def offline(stage: Stage) -> None:
    """No network"""
    stage.network("off")
    stage.see("home-offline", "home_hint", "cause_network")
    stage.press("2000E")
    stage.tap("amber")
    stage.see("offline-accepted", "accepted", "accepted_note", "accepted_risk")
    stage.world.remove()
    stage.press("E")
    stage.see("home-queue", "home_hint", "home_queue")
    stage.press("4500E")
    stage.tap("quartz")
    stage.see("offline-approved", "approved_card", "approved_card_note")
    stage.world.remove()


def only_with_the_host(stage: Stage) -> None:
    """What needs the host"""
    stage.menu("refund")
    stage.wait("refund_how")
    stage.press("E")
    stage.wait("amount_refund")
    stage.press("500E")
    stage.wait("refund_reference")
    stage.press("E")
    stage.see("only-online", "not_taken", "only_online")
    stage.home()
    stage.menu("completion")
    stage.wait("amount_completion")
    stage.press("500E")
    stage.wait("preauth_code")
    stage.press("123456E")
    stage.see("completion-advice", "completion_advice", "accepted_risk")
    stage.press("C")
    stage.home()
    stage.menu("echo")
    stage.see_wait("echo-wait", "echo", "at_most", hide=("at_most",))
    stage.see("echo-failed", "echo", "cause_network")


def limit(stage: Stage) -> None:
    """More than may be taken offline"""
    stage.press("400000E")
    stage.see("offline-limit", "not_taken", "limit_one", "limit_how")


def refused_later(stage: Stage) -> None:
    """A payment taken offline is refused by the host"""
    stage.host.mood = "decline 05"
    stage.network("on")
    stage.host.mood = "normal"
    stage.see("home-refused", "home_hint", "home_refused")
    stage.menu("queue")
    stage.see("refused-list", "queue", "refused_later")
    stage.press("E")
    stage.see("refused-payment", "refused_later", "refused_later_do")
    stage.press("E")
    stage.wait("queue")
    stage.press("E")
    stage.wait("refused_later")
    stage.press("E")
    stage.wait("queue", "queue_empty")


def no_connection(stage: Stage) -> None:
    """The host is not reached in the middle of a sale"""
    stage.world.run_for(20_000)  # the connection has ended
    stage.world.radio.state = "half_open"
    stage.press("700E")
    stage.tap("jade")
    stage.see("offline-ask", "ask_offline", "accepted_risk")
    stage.press("C")
    stage.see("offline-refused", "not_taken")
    stage.world.remove()
    stage.home()
    stage.network("on")


def not_sent(stage: Stage) -> None:
    """A payment is cancelled before it is sent"""
    stage.world.run_for(20_000)
    stage.world.radio.state = "half_open"
    stage.press("700E")
    stage.tap("jade")
    stage.see_wait("sale-not-sent", "authorising", "at_most")
    stage.press("C")
    stage.see("sale-taken-back", "not_taken", "cancelled", "cancelled_note")
    stage.world.remove()
    stage.home()
    stage.network("on")


def no_paper(stage: Stage) -> None:
    """No paper in the printer"""
    stage.world.chips.printer.paper = False
    stage.press("4725E")
    stage.tap("lotus")
    stage.see("paper-out", "approved", "fault_paper", "key_receipt")
    stage.world.remove()
    stage.press("D")
    stage.see("receipt-on-screen", "key_receipt", "r_merchant")
    stage.press("D")
    stage.see("receipt-on-screen-2", "key_receipt")
    stage.home()
    stage.menu("reprint")
    stage.see("reprint-failed", "receipt_failed", "fault_paper")
    stage.home()
    stage.world.chips.printer.paper = True


def power_cut(stage: Stage) -> None:
    """The power fails after a sale, and during one"""
    stage.world.power_off()
    stage.world.power_on()
    stage.see("restart-approved", "approved", "restart_receipt")
    stage.press("C")
    stage.network("on")
    stage.world.run_for(9000)  # the terminal derives its next keys first, so that only the sale writes
    stage.world.cut_at(1, "prefix:112")
    stage.press("4725E")
    stage.tap("bamboo")
    stage.world.wait_off(30)
    stage.world.remove()
    stage.world.power_on()
    stage.see("restart-interrupted", "not_taken", "restart_interrupted")


PLAYS = (offline, only_with_the_host, limit, refused_later, no_connection, not_sent, no_paper, power_cut)
