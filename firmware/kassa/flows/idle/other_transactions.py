# SPDX-License-Identifier: MIT
"""The menu of the less frequent transactions. Loaded on demand."""

from micropython import const

from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.flows.session import Flow

_ITEMS = (
    "cash", "qr_scan", "qr_show", "refund", "preauth", "completion", "preauth_cancel", "tip", "voice", "adjust", "balance",
)  # fmt: skip


async def choose(session: Session) -> "Flow | None":
    """Show the menu. Returns the chosen flow, or None if the cashier went back."""
    ui = session.ui
    chosen = await ui.menu(ui.t("others"), [ui.t(item) for item in _ITEMS])
    return None if chosen is None else _flow(_ITEMS[chosen])


def _flow(name: str) -> "Flow":
    if name == "cash":
        from kassa.flows.sale.cash import cash as flow
    elif name == "qr_scan":
        from kassa.flows.sale.qr import scan as flow
    elif name == "qr_show":
        from kassa.flows.sale.qr import show as flow
    elif name == "refund":
        from kassa.flows.reverse.refund import refund as flow
    elif name == "preauth":
        from kassa.flows.sale.preauth import preauth as flow
    elif name == "completion":
        from kassa.flows.sale.preauth import complete as flow
    elif name == "preauth_cancel":
        from kassa.flows.sale.preauth import cancel as flow
    elif name == "tip":
        from kassa.flows.reverse.adjust import tip as flow
    elif name == "voice":
        from kassa.flows.sale.voice import voice as flow
    elif name == "adjust":
        from kassa.flows.reverse.adjust import adjust as flow
    else:
        from kassa.flows.sale.balance import balance as flow
    return flow
