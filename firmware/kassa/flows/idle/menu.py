# SPDX-License-Identifier: MIT
"""The menus, from which the cashier chooses a flow."""

from micropython import const

from kassa.flows.idle import menu_tree
from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.flows.session import Flow


async def choose(session: Session) -> "Flow | None":
    """Show the menu and the menus below it. Returns the chosen flow, or None if the cashier went back to the home page."""
    entry = await _chosen(session, "menu")
    return menu_tree.flow(entry) if entry else None


async def _chosen(session: Session, menu: str) -> str:
    """The entry chosen in this menu or below it, "" if the cashier went back."""
    ui = session.ui
    entries = menu_tree.entries(menu)
    place = 0
    while True:
        chosen = await ui.menu(ui.t(menu), [ui.t(entry) for entry in entries], place)
        if chosen is None:
            return ""
        place = chosen
        entry = entries[chosen]
        if menu_tree.entries(entry):
            entry = await _chosen(session, entry)
        if entry:
            return entry
