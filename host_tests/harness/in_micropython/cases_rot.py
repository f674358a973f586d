# SPDX-License-Identifier: MIT
"""Cases for bit rot: flip one bit of a journal image, boot and recover, and compare the result with the original."""

import hashlib
import io

from cases_cuts import BelievesAll
from cases_vault import fill, sealer_of, state
from chips import FlashChip, Region

from kassa.errors import KassaError
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import MISSING, decided
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import BLANK
from kassa.vault.journal.mount import mount
from kassa.vault.journal.reader import Reader
from kassa.vault.journal.recovery import recover
from kassa.vault.journal.tags import Tags

_SAID = (
    "sequence",
    "count",
    "sum",
    "watermark",
    "closed",
    "batch",
    "oldest",
    "heard",
    "reversing",
    "closing",
    "last",
    "fate",
)
_TOKEN = 900000


class Rotting:
    """A journal image in memory that can be booted repeatedly."""

    def __init__(self, path, key, tags):
        with open(path, "rb") as image:
            self.image = image.read()
        self.key = bytes.fromhex(key)
        self.tags = tags
        self.store = io.BytesIO(self.image)

    def restore(self, bit=-1):
        """Restore the image, then flip `bit` (0 = highest bit of the first byte, -1 = none)."""
        self.store.seek(0)
        self.store.write(self.image)
        if bit >= 0:
            self.store.seek(bit >> 3)
            self.store.write(bytes([self.image[bit >> 3] ^ 0x80 >> (bit & 7)]))

    def boot(self):
        """Mount and recover: the journal and its tail."""
        size = len(self.image)
        journal = Journal(Region(FlashChip(self.store, size), 0, size), bytearray(self.key))
        if self.tags is not Tags:
            journal.tags = self.tags(bytearray(self.key))
        tail = mount(journal)
        recover(journal)
        return journal, tail


def known(journal):
    """The state values in _SAID, and sequence -> (disposition, hash of the bytes to send)."""
    said = state(journal)
    records, page = {}, bytearray(256)
    reader = Reader(journal, journal.state.closed + 1)
    while reader.read(page):
        sent = hashlib.sha256(bytes(page[:248]) + bytes(reader.rest or b"")).digest()[:8]
        sequence = layout.number(page, 4)
        records[sequence] = journal.dispositions.get(sequence), sent
    return {name: said[name] for name in _SAID}, records


def _wrong(rotting, before, bit):
    """(the missing sequence or 0, what is wrong or "")."""
    journal, tail = rotting.boot()
    said, records = known(journal)
    if said != before[0]:
        return 0, "said %s" % {name: (before[0][name], said[name]) for name in _SAID if said[name] != before[0][name]}
    missing = [sequence for sequence in before[1] if sequence not in records]
    changed = [sequence for sequence in records if records[sequence] != before[1].get(sequence)]
    reported = [sequence for sequence, kind in journal.dispositions.items() if kind == MISSING]
    if changed or len(missing) > 1:
        return 0, "changed %s, missing %s" % (changed, missing)
    owed = [sequence for sequence in missing if not decided(before[1][sequence][0]) and sequence > said["watermark"]]
    if reported != owed or journal.unreadable != (owed[0] if owed else 0):
        return 0, "missing %s, reported %s" % (missing, reported)
    page = bit // 2048 * 256
    if tail.torn and rotting.image[page : page + 256] != BLANK:  # one bit on a blank page may look like a new record
        return 0, "a payment reported as unfinished"
    draft = fill(_TOKEN, 4321)
    sequence = journal.accept(draft, sealer_of(draft.nonce), layout.ACCEPTED)
    now = journal.state
    if sequence != said["sequence"] + 1 or (now.count, now.sum) != (said["count"] + 1, said["sum"] + 4321):
        return 0, "the next payment is %d" % sequence
    if bit % 4:
        return (missing or [0])[0], ""
    again, page = rotting.boot()[0], bytearray(256)
    if Reader(again, sequence).read(page) != sequence or page[8:24] != draft.uid or again.state.sum != now.sum:
        return 0, "the next payment is not found again"
    return (missing or [0])[0], ""


class MendsNothing(Tags):
    """A control: a flipped bit is never repaired."""

    def repair_record(self, page):
        return -1


_TAGS = {"": Tags, "mends nothing": MendsNothing, "believes all": BelievesAll}


def rot(path, key, bits, variant=""):
    """Flip each bit of range(*bits) alone. `missing`: [bit, sequence]; `broken`: [bit, what is wrong]."""
    rotting = Rotting(path, key, _TAGS[variant])
    before = known(rotting.boot()[0])
    missing, broken = [], []
    for bit in range(*bits):
        rotting.restore(bit)
        try:
            sequence, wrong = _wrong(rotting, before, bit)
        except KassaError as error:
            sequence, wrong = 0, type(error).__name__
        if wrong:
            broken.append([bit, wrong])
        elif sequence:
            missing.append([bit, sequence])
    return {"missing": missing, "broken": broken, "records": len(before[1]), "said": before[0]}
