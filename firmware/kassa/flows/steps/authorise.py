# SPDX-License-Identifier: MIT
"""Sends a payment to the host and shows the answer."""

from time import ticks_diff, ticks_ms

from micropython import const

from kassa import money, transactions
from kassa.errors import FlashFault, JournalFull, Refused
from kassa.flows.session import Session
from kassa.flows.steps.show_outcome import finish, refuse
from kassa.uplink import answers
from kassa.vault.journal import layout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.desk.cardless_body import CardlessBody

_PATIENCE_S = const(45)
_WIDTH = const(288)  # px, of the bar
_ANSWER_MS = const(30000)


async def authorise(session: Session, amount: int, refusal: str) -> None:
    """Authorise a sale with the card that was read. If nothing could be sent, offer to take it offline.

    `refusal`: why it may not be taken offline, a text key, "" = no reason.
    """
    sequence = session.till.take(layout.INTENT, transactions.SALE, amount, session.card())
    if await ask(session, sequence, amount):
        await show_answer(session, amount)
    else:
        await _unsent(session, sequence, amount, refusal)


async def request(session: Session, kind: int, amount: int, source: "Arena | CardlessBody", back: int = 0) -> None:
    """Run a transaction that only the host can approve, from intent to result. Raises Refused if nothing could be sent.

    `kind`, `source`, `back`: see Till.take.
    """
    sequence = session.till.take(layout.INTENT, kind, amount, source, back)
    session.wipe_card(sequence)
    source.wipe()
    if await ask(session, sequence, amount):
        await show_answer(session, amount)
    else:
        void_unsent(session, sequence)
        raise Refused("only_online")


def void_unsent(session: Session, sequence: int) -> None:
    """Void an intent that was never sent and was abandoned."""
    try:
        session.till.void_unsent(sequence)
    finally:
        session.courier.withdrawn = 0
    session.status.set_pending(session.till.journal.state)


async def ask(session: Session, sequence: int, amount: int) -> bool:
    """Send an intent to the host, and wait for the answer or for the news that the customer has still to confirm.

    Returns False if it was never sent; it is withdrawn then. Until it is sent the cashier may cancel it: then it is void,
    and Refused is raised. Once it is sent nobody can: without an answer it is reversed.
    """
    ui, courier = session.ui, session.courier
    courier.submit(sequence)
    start, shown = ticks_ms(), ()
    while not courier.outcome.kind and not courier.outcome.waiting:
        left, sent = _PATIENCE_S - ticks_diff(ticks_ms(), start) // 1000, courier.sent
        stops = not sent and session.connection.cause == "lookup"  # for some seconds the terminal can do nothing else
        now = left, sent, stops
        if left < 0:
            give_up(session)
            break
        if now != shown:
            shown = now
            lines, keys = [ui.t("at_most", left)], "C=key_cancel"
            if sent:
                lines.append(ui.t("in_flight_why"))
                keys = "=in_flight"
            elif stops:
                lines.append(ui.words.cause("lookup"))
            await ui.show("wait", ui.t("authorising"), lines, keys, money.text(amount), _WIDTH * left // _PATIENCE_S)
        if await ui.key("C", 100) and courier.withdraw():
            void_unsent(session, sequence)
            raise Refused("cancelled")
    outcome = courier.outcome
    if outcome.kind == answers.UNSENT or not outcome.kind and not outcome.waiting:
        if courier.withdraw():
            return False
        give_up(session)
    return True


async def show_answer(session: Session, amount: int, notes: tuple = ()) -> None:
    """Show the answer, which is already durable in the journal, and print the receipt. `notes`: lines for an approval."""
    ui, outcome = session.ui, session.courier.outcome
    record = session.last()
    session.wipe_card(record.sequence if record else 0)
    word = session.last_disposition(record)
    if outcome.kind == answers.YES:
        lines = list(notes) or ([ui.t("auth_code", outcome.auth)] if outcome.auth else [])
        await finish(session, "ok", word, lines, amount, outcome.auth, outcome.rrn)
    elif outcome.kind == answers.NO:
        code = str(outcome.code, "utf-8")
        await finish(session, "refuse", "declined", [ui.words.reason(code), ui.t("de39_code", code)], amount)
    elif word == "unanswered":
        await finish(session, "warn", word, [ui.t("unanswered_note")], amount)
    else:
        note = "qr_given_up" if outcome.waiting else "reversing_note"
        await finish(session, "warn", "reversing", [ui.t(note)], amount)


def give_up(session: Session) -> None:
    """Stop waiting, and reverse the payment. If the flash cannot store the mark now, the next connection writes it."""
    try:
        session.courier.give_up()
    except (FlashFault, JournalFull):
        pass


async def _unsent(session: Session, sequence: int, amount: int, refusal: str) -> None:
    """Nothing was sent: let the cashier take the sale offline within the limits, else void it."""
    from kassa.flows.steps import certificate_notes, take_offline

    ui, till = session.ui, session.till
    refused, why = None, certificate_notes.no_answer_reason(session)
    try:
        till.check_offline(amount)
        take_offline.check_card(session, refusal)
        if till.needs_supervisor:
            await take_offline.agreed(session, amount)
        question = (why, ui.t("accepted_risk"))
        title = ui.t("ask_offline")
        key = await ui.message("ask", title, question, "E=key_yes C=key_no", _ANSWER_MS, money.text(amount), fresh=True)
        if key != ord("E"):
            raise Refused("fault_host")
        till.defer(sequence, amount, session.card().body)
    except Refused as reason:
        refused = reason
        till.void_unsent(sequence)
    finally:
        session.courier.withdrawn = 0
    session.wipe_card(0 if refused else sequence)
    if refused is None:
        await take_offline.accepted(session, amount)
    else:
        session.status.set_pending(till.journal.state)
        await refuse(session, refused, amount)
