# SPDX-License-Identifier: MIT
"""The end of every payment: the result page and the receipt, or the page that says why it was refused."""

from micropython import const

from kassa import money
from kassa.errors import CardError, FlashFault, JournalFull, KeyringError, Refused
from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Awaitable

_RESULT_MS = const(30000)


async def attempt(session: Session, amount: int, work: "Awaitable[None]") -> None:
    """Await `work`, and show why if it is refused. Card data is always wiped first."""
    refused, broken = None, False
    try:
        await work
    except Refused as reason:
        refused = reason
    except JournalFull:
        refused = Refused("limit_full")
    except CardError:  # no room for further data in the sealed body
        refused = Refused("card_error")
    except (KeyringError, FlashFault):
        broken = True
    finally:
        session.wipe_card()
    if broken:
        await result(session, "refuse", "not_taken", ("fault_flash",), amount)
    elif refused is not None:
        await refuse(session, refused, amount)


async def result(session: Session, kind: str, word: str, lines: tuple, amount: int) -> None:
    """Show a result without a receipt, until the cashier confirms. `word`, `lines`: text keys. `kind`: see message.py."""
    ui = session.ui
    session.beep(word if word == "declined" else kind)
    texts = [ui.t(line) for line in lines]
    await ui.message(kind, ui.t(word), texts, "E=key_ok", _RESULT_MS, money.text(amount), fresh=True)


async def refuse(session: Session, refused: Refused, amount: int) -> None:
    """Show why the payment was not taken, and what would help."""
    ui = session.ui
    if refused.key == "cancelled":  # by the cashier, before it was sent
        await result(session, "warn", "not_taken", ("cancelled", "cancelled_note"), amount)
        return
    lines = [ui.t(refused.key, *refused.values)]
    if refused.key.startswith("limit"):
        lines.append(ui.t("limit_how"))
    elif refused.key in ("only_online", "fault_host"):
        from kassa.flows.steps import certificate_notes

        lines[refused.key == "only_online" :] = [
            certificate_notes.no_answer_reason(session)
        ]  # after it, or in its place
    elif refused.key.startswith("card"):
        lines.append(ui.t("use_other"))
    session.beep("refuse")
    await ui.message("refuse", ui.t("not_taken"), lines, "E=key_ok", _RESULT_MS, money.text(amount))


async def finish(
    session: Session, kind: str, word: str, lines: list, amount: int, auth: str = "", rrn: str = ""
) -> None:
    """Show the result, print the receipt if money moved, and wait for the cashier.

    `word`: the disposition, a text key. `lines`: texts. `kind`: see message.py.
    """
    from kassa.desk.disposition_word import PAID, TOOK_BACK

    ui, figure = session.ui, money.text(amount)
    session.beep(word if word == "declined" else kind)
    await ui.show(kind, ui.t(word), lines, "E=key_ok", figure)
    ui.keypad.flush()  # a key pressed before the result was shown must not skip it
    keys, record = "E=key_ok", session.last()
    page = kind, ui.t(word), lines, figure
    if record is not None and word in PAID + TOOK_BACK:
        from kassa.flows.steps import paper

        keys = await paper.payment(session, page, record, word, auth, rrn)
    again = False  # a customer's copy is on paper already
    while keys and await ui.message(kind, ui.t(word), lines, keys, _RESULT_MS, figure) == ord("D"):
        from kassa.flows.steps import paper, receipt

        printed = await paper.print_out(session, page, again, receipt.payment, record, word, auth, rrn, True)
        again = again or printed and keys.endswith("copy")
