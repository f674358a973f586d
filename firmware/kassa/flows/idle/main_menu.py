# SPDX-License-Identifier: MIT
"""The menu and its small pages: last payment, queue, language, about. Loaded when it is asked for."""

import asyncio
import gc
from time import ticks_diff, ticks_ms

from kassa import VERSION, money
from kassa.flows.batch import pending
from kassa.flows.idle import after_restart
from kassa.flows.session import Session
from kassa.flows.steps import receipt
from kassa.uplink import answers
from kassa.vault.settings import settings

_ANSWER_MS = 20000


async def menu(session: Session) -> str:
    """Choose, and show a small page; the first four, which come without the menu in memory, are returned."""
    ui = session.ui
    items = (
        "sale",
        "settle",
        "void",
        "others",
        "last",
        "reprint",
        "queue",
        "change_language",
        "about",
        "echo",
        "sign_off",
    )
    chosen = await ui.menu(ui.t("menu"), [ui.t(item) for item in items])
    if chosen is None:
        return ""
    if chosen >= 4:
        await (_last, after_restart.print_last, pending.waiting, _language, _about, _echo, _sign_off)[chosen - 4](
            session
        )
        return ""
    return items[chosen]


async def _last(session: Session) -> None:
    ui = session.ui
    record = session.last()
    if record is None:
        await ui.message("ask", ui.t("last"), (ui.t("last_none"),))
        return
    rows = (
        (ui.t("r_amount"), money.text(record.amount)),
        (ui.t(session.last_word(record)), ui.t("r_%02x" % record.type)),
        (ui.t("paid_with"), session.paid_with(record)),
        (ui.t("r_trace"), "%06d" % record.stan),
        (ui.t("r_batch"), "%06d" % record.batch),
        (ui.t("r_date"), receipt.when(record.time)),
    )
    await ui.list(ui.t("last"), rows, choose=False)


async def _language(session: Session) -> None:
    ui = session.ui
    other = "en" if ui.words.language == "zh" else "zh"
    ui.use(other)
    session.settings.put({settings.LANGUAGE: other.encode()})


async def _about(session: Session) -> None:
    ui = session.ui
    state = session.till.journal.state
    gc.collect()
    rows = (
        (ui.t("about_version"), VERSION),
        (ui.t("about_terminal"), session.terminal),
        (ui.t("about_merchant"), session.merchant),
        (ui.t("about_batch"), "%06d" % state.batch),
        (ui.t("about_pending"), "%d  %s" % (state.count, money.text(state.sum))),
        (ui.t("about_heard"), receipt.when(state.heard)[:16] if state.heard else ui.t("test_none")),
        (ui.t("about_valid"), receipt.when(session.valid[1] * 86400)[:10] if session.valid[1] else ui.t("test_none")),
        (ui.t("about_memory"), "%d KiB" % (gc.mem_free() // 1024)),
    )
    await ui.list(ui.t("about_title"), rows, choose=False)


async def _echo(session: Session) -> None:
    """Whether the host answers."""
    from kassa.uplink.management import ECHO

    await _tell(session, ECHO, "echo", "echo_ok")


async def _sign_off(session: Session) -> None:
    """Tell the host that the shift is over; the next connection signs on again by itself."""
    from kassa.uplink.management import SIGN_OFF

    await _tell(session, SIGN_OFF, "sign_off", "sign_off_ok")


async def _tell(session: Session, network: int, title: str, done: str) -> None:
    from kassa.uplink import management

    ui, courier = session.ui, session.courier
    management.send(courier, network)
    start = ticks_ms()
    while not courier.outcome.kind and ticks_diff(ticks_ms(), start) < _ANSWER_MS:
        await ui.show("wait", ui.t(title), (ui.t("please_wait"),))
        await asyncio.sleep_ms(100)
    if courier.outcome.kind == answers.YES:
        await ui.message("ok", ui.t(title), (ui.t(done),))
    else:
        courier.end_task()
        from kassa.flows.steps import certificate_notes

        await ui.message("warn", ui.t(title), (certificate_notes.silence(session),))
