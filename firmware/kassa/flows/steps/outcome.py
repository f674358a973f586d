# SPDX-License-Identifier: MIT
"""What stands around every payment: whether it may begin, and the page at its end, or why it cannot be."""

from micropython import const

from kassa import money
from kassa.errors import CardError, FlashFault, JournalFull, KeyringError, Refused
from kassa.flows.session import Session
from kassa.overlay import forget_all

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Awaitable

ENDING = (
    "flows.steps.authorise",
    "flows.steps.offline",
    "flows.steps.finish",
    "flows.steps.receipt",
    "flows.steps.supervisor",
    "desk.disposition",
    "calendar",
)  # of a payment
_RESULT_MS = const(30000)


def need_open(session: Session) -> None:
    """Raises Refused while the close of the batch has no answer: nothing is taken then."""
    if session.till.journal.state.closing:
        raise Refused("settle_unfinished")


async def result(session: Session, kind: str, word: str, lines: tuple, amount: int) -> None:
    """Show how it ended, `word` and `lines` as text keys, until the cashier confirms."""
    ui = session.ui
    said = [ui.t(line) for line in lines]
    await ui.message(kind, ui.t(word), said, "E=key_ok", _RESULT_MS, money.text(amount), fresh=True)


async def attempt(session: Session, amount: int, work: "Awaitable[None]") -> None:
    """Do what may be refused: whatever happens, no card data is left when the refusal is shown."""
    refused, broken = None, False
    try:
        await work
    except Refused as reason:
        refused = reason
    except JournalFull:
        refused = Refused("limit_full")
    except CardError:  # what is to be sealed with the card's data has no room
        refused = Refused("card_error")
    except (KeyringError, FlashFault):
        broken = True
    finally:
        session.arena.wipe()
        forget_all(ENDING)
    if broken:
        await result(session, "refuse", "not_taken", ("fault_flash",), amount)
    elif refused is not None:
        await refuse(session, refused, amount)


async def refuse(session: Session, refused: Refused, amount: int) -> None:
    """Say why the till does not take it, and what would help."""
    ui = session.ui
    lines = [ui.t(refused.key, *refused.values)]
    if refused.key.startswith("limit"):
        lines.append(ui.t("limit_how"))
    elif refused.key.startswith("card"):
        lines.append(ui.t("use_other"))
    await ui.message("refuse", ui.t("not_taken"), lines, "E=key_ok", _RESULT_MS, money.text(amount))
