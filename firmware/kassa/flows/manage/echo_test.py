# SPDX-License-Identifier: MIT
"""Echo test and sign-off."""

from time import ticks_diff, ticks_ms

from micropython import const

from kassa.flows.session import Session
from kassa.uplink import answers

_ANSWER_S = const(20)
_WIDTH = const(288)  # px, of the bar


async def echo(session: Session) -> None:
    """Test whether the host answers. C ends the wait."""
    from kassa.uplink.management import ECHO

    await _send(session, ECHO, "echo", "echo_ok")


async def sign_off(session: Session) -> None:
    """Tell the host that the shift is over. The next connection signs on again automatically."""
    from kassa.uplink.management import SIGN_OFF

    await _send(session, SIGN_OFF, "sign_off", "sign_off_ok")


async def _send(session: Session, network: int, title: str, done: str) -> None:
    from kassa.uplink.management import NetworkMessage
    from kassa.uplink.request_result import RequestResult

    ui, courier = session.ui, session.courier
    outcome = RequestResult()
    courier.begin(NetworkMessage(network, b"", outcome), outcome)
    start, left = ticks_ms(), _ANSWER_S
    while not outcome.kind and left >= 0:
        line = ui.t("at_most", left)
        await ui.show("wait", ui.t(title), (line,), "C=key_cancel", left=_WIDTH * left // _ANSWER_S)
        if await ui.key("C", 200):
            courier.end_task()
            return
        left = _ANSWER_S - ticks_diff(ticks_ms(), start) // 1000
    if outcome.kind == answers.YES:
        await ui.message("ok", ui.t(title), (ui.t(done),))
    else:
        courier.end_task()
        from kassa.flows.steps import certificate_notes

        await ui.message("warn", ui.t(title), (certificate_notes.no_answer_reason(session),))
