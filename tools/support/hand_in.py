# SPDX-License-Identifier: MIT
"""Finds the sealed records in a journal image, for the host to take in. Believes nothing: the host checks every seal."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.host.operations.hand_in_checks import DEFERRED, ENDED, HALF, OPEN, PAID
from tools.journal import image
from tools.journal.cells import BLANK, PAGE, RECORDS
from tools.journal.image import Journal
from tools.support.bundle import BundleError
from tools.support.console import Found

_LARGEST = 8 << 20  # bytes of a journal
_LARGEST_FILE = 32 << 20
_SEALED = 248  # bytes of a page: all but the journal tag
_MARKS = {"accepted": DEFERRED, "settled": PAID, "prepared": OPEN, "reversing": OPEN}
_SHOWN = ("pulled", "firmware", "stop")


def request(found: Found, by: str, terminal: str | None, deferred: list[int], reverse: list[int]) -> dict[str, Any]:
    """What the host is asked; see Operator. Raises BundleError if there is nothing to hand in."""
    if len(found.journal) > _LARGEST:
        raise BundleError(f"the journal has {len(found.journal)} bytes; the limit is {_LARGEST}")
    journal = image.read(found.journal)
    whole_last = sorted(_pages(found.journal), key=lambda page: page[-1:] != BLANK)
    pages = {page[:_SEALED]: page for page in whole_last}  # one written twice was whole the second time
    records = [[base64.b64encode(raw).decode(), _mark(journal, page)] for raw, page in pages.items()]
    if not records:
        raise BundleError("no records of payments were found in it")
    note = ", ".join(f"{name} {found.info[name]}" for name in _SHOWN if found.info.get(name))
    return {
        "by": by,
        "terminal": terminal,
        "deferred": deferred,
        "reverse": reverse,
        "note": note[:500],
        "unread": len(found.unreadable),
        "records": records,
    }


def opened(path: Path) -> Found:
    """The folder of an opened bundle, or an image of a journal. Raises BundleError, OSError."""
    if not path.is_dir():
        data = read(path)
        if data.startswith(b"KSB"):
            raise BundleError("this is a bundle: give its private key (--key)")
        return Found({}, data)
    try:
        info = json.loads(read(path / "info.json"))
        unreadable = [(int(sector), int(offset)) for sector, offset in info.pop("unreadable")]
        return Found({str(name): str(value) for name, value in info.items()}, read(path / "journal.bin"), unreadable)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{path}: malformed: {error}") from None


def read(path: Path) -> bytes:
    """A file of at most 32 MiB. Raises BundleError, OSError."""
    with path.open("rb") as file:
        data = file.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise BundleError(f"{path} is too large")
    return data


def _pages(data: bytes) -> Iterator[bytes]:
    """Every page that may hold a record, wherever it lies: headers may be damaged, or lie."""
    for at in range(0, len(data) - PAGE + 1, PAGE):
        page = data[at : at + PAGE]
        if page[0] in RECORDS and page[_SEALED:] != BLANK * 8:  # not torn
            yield page


def _mark(journal: Journal, page: bytes) -> str:
    """What the marks say about a record. Above the watermark, OPEN if nothing is known about this very record.

    HALF: the power may have failed within its journal tag, which only the device can check. For the terminal there is no
    such record: the next one gets its sequence. Until there is a next one, a tag that ends with a blank byte tells.
    """
    sequence = int.from_bytes(page[4:8], "big")
    known = journal.records.get(sequence)
    if known is not None and known.uid != page[8:24]:
        return HALF
    if sequence == max(journal.records, default=0) and page[-1:] == BLANK and sequence not in journal.dispositions:
        return HALF
    if known is None:
        return PAID if sequence <= journal.watermark else OPEN
    return _MARKS.get(journal.state(known), ENDED)
