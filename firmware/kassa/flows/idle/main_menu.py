# SPDX-License-Identifier: MIT
"""The main menu, from which the cashier chooses a flow."""

from micropython import const

from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.flows.session import Flow

_ITEMS = (
    "sale", "settle", "void", "others", "last", "reprint", "queue", "change_language", "about", "echo", "sign_off",
)  # fmt: skip


async def menu(session: Session) -> "Flow | None":
    """Show the menu. Returns the chosen flow, or None if the cashier went back."""
    ui = session.ui
    chosen = await ui.menu(ui.t("menu"), [ui.t(item) for item in _ITEMS])
    if chosen is None:
        return None
    if _ITEMS[chosen] == "others":
        from kassa.flows.idle import other_transactions

        return await other_transactions.choose(session)
    return _flow(_ITEMS[chosen])


def _flow(item: str) -> "Flow":
    if item == "sale":
        from kassa.flows.sale.card import sale as flow
    elif item == "settle":
        from kassa.flows.batch.settle import settle as flow
    elif item == "void":
        from kassa.flows.reverse.void import void as flow
    elif item == "last":
        from kassa.flows.manage.last_payment import show as flow
    elif item == "reprint":
        from kassa.flows.manage.last_payment import reprint as flow
    elif item == "queue":
        from kassa.flows.batch.pending import show as flow
    elif item == "change_language":
        from kassa.flows.manage.language import switch as flow
    elif item == "about":
        from kassa.flows.manage.about import about as flow
    elif item == "echo":
        from kassa.flows.manage.echo_test import echo as flow
    else:
        from kassa.flows.manage.echo_test import sign_off as flow
    return flow
