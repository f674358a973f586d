# SPDX-License-Identifier: MIT
"""What the slips of this room have in common: their head, and how they are printed."""

from micropython import const

from kassa.flows.session import Session
from kassa.flows.steps import receipt

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.flows.steps.paper import Writer

RULE = ("-", 0, False, 1)


def head(session: Session, title: str, again: bool) -> "Iterator[tuple]":
    """The first lines of a slip about the open batch; see steps/receipt.py. `title`: a text key."""
    t = session.ui.t
    yield session.name, 1, True, 2
    if again:
        yield t("r_duplicate"), 1, True, 1
    yield t(title), 1, True, 1
    yield t("r_merchant") + "\t" + session.merchant, 0, False, 1
    yield t("r_terminal") + "\t" + session.terminal, 0, False, 1
    yield t("r_batch") + "\t" + "%06d" % session.till.journal.state.batch, 0, False, 1
    yield receipt.when(session.clock.now()), 2, False, 1
    yield RULE


async def output(
    session: Session, write: "Writer", *values: object, keys: str = "=please_wait", seconds: int = 4
) -> None:
    """Print what `write` yields, see steps/paper.py; where there is no printer it is shown on the screen.

    `keys`: those that `write` looks at meanwhile. `seconds`: what the page says that it takes.
    """
    ui = session.ui
    await ui.show("wait", ui.t("receipt_printing"), (ui.t("seconds", seconds),), keys)
    ui.keypad.flush()
    from kassa.flows.steps import paper

    await paper.print_out(session, ("warn", ui.t("receipt_failed"), (), ""), False, write, *values)
