# SPDX-License-Identifier: MIT
"""Refunds a payment of any day by the way it was paid. A supervisor must agree.

By card: needs the card and the host's approval; the reference is optional. By code: needs the reference and the wallet's
approval. In cash: needs neither.
"""

from micropython import const

from kassa import money, transactions
from kassa.desk import cardless_body
from kassa.flows.session import Session
from kassa.flows.steps.read_card import read_card
from kassa.flows.steps.requirements import need_host, need_open, need_role, seal_with_card
from kassa.flows.steps.show_outcome import attempt
from kassa.money import pack_bcd

_REFERENCE = 0xDF04  # our tag: the RRN, 6 bytes BCD
_DIGITS = 12
_CARD, _CASH = const(0), const(2)


async def refund(session: Session) -> None:
    """The whole refund, from the choice of how it was paid to the slip."""
    ui = session.ui
    how = await ui.menu(ui.t("refund_how"), [ui.t("refund_card"), ui.t("r_qr"), ui.t("r_cash")])
    if how is None:
        return
    amount = await ui.amount(ui.t("amount_refund"), session.till.largest)
    if amount is None:
        return
    if how == _CASH:
        await attempt(session, amount, _in_cash(session, amount))
        return
    by_card = how == _CARD  # the reference is optional
    hint = ui.t("refund_reference_hint" if by_card else "refund_reference_code")
    reference = await ui.number(ui.t("refund_reference"), _DIGITS, _DIGITS, hint, money.text(amount), by_card)
    if reference is not None:
        await attempt(session, amount, (_to_card if by_card else _to_wallet)(session, amount, reference))


async def _to_card(session: Session, amount: int, reference: str) -> None:
    need_host(session)
    await need_role(session, "refund")
    if await read_card(session, amount, True, 0x20) is None:
        return
    if reference:
        seal_with_card(session, _REFERENCE, _packed(reference))
    from kassa.flows.steps import authorise

    await authorise.request(session, transactions.REFUND, amount, session.card())


async def _to_wallet(session: Session, amount: int, reference: str) -> None:
    need_host(session)
    await need_role(session, "refund")
    from kassa.flows.steps import authorise

    await authorise.request(session, transactions.QR_REFUND, amount, cardless_body.for_reference(_packed(reference)))


async def _in_cash(session: Session, amount: int) -> None:
    session.till.check_amount(amount)
    need_open(session)
    await need_role(session, "refund")
    from kassa.flows.sale import cash

    await cash.give_back(session, amount, cardless_body.cash())


def _packed(reference: str) -> bytearray:
    packed = bytearray(6)
    pack_bcd(int(reference), packed, 0, 6)
    return packed
