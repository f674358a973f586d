# SPDX-License-Identifier: MIT
"""Echo test and sign-off."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa.flows.session import Session
from kassa.uplink import answers

_ANSWER_MS = const(20000)


async def echo(session: Session) -> None:
    """Test whether the host answers."""
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
    start = ticks_ms()
    while not outcome.kind and ticks_diff(ticks_ms(), start) < _ANSWER_MS:
        await ui.show("wait", ui.t(title), (ui.t("please_wait"),))
        await asyncio.sleep_ms(100)
    if outcome.kind == answers.YES:
        await ui.message("ok", ui.t(title), (ui.t(done),))
    else:
        courier.end_task()
        from kassa.flows.steps import certificate_notes

        await ui.message("warn", ui.t(title), (certificate_notes.no_answer_reason(session),))
