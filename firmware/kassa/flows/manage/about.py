# SPDX-License-Identifier: MIT
"""About this terminal: version, numbers, batch, last contact with the host, certificate, memory."""

import gc

from kassa import VERSION, money
from kassa.flows.session import Session
from kassa.flows.steps import receipt

_DAY = 86400


async def about(session: Session) -> None:
    """Show the list."""
    ui = session.ui
    state, last_day = session.till.journal.state, session.certificate_days[1]
    gc.collect()
    rows = (
        (ui.t("about_version"), VERSION),
        (ui.t("about_terminal"), session.terminal),
        (ui.t("about_merchant"), session.merchant),
        (ui.t("about_batch"), "%06d" % state.batch),
        (ui.t("about_pending"), "%d  %s" % (state.count, money.text(state.sum))),
        (ui.t("about_heard"), receipt.when(state.heard)[:16] if state.heard else ui.t("test_none")),
        (ui.t("about_valid"), receipt.when(last_day * _DAY)[:10] if last_day else ui.t("test_none")),
        (ui.t("about_memory"), "%d KiB" % (gc.mem_free() // 1024)),
    )
    await ui.list(ui.t("about_title"), rows, choose=False)
