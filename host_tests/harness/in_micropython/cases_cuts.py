# SPDX-License-Identifier: MIT
"""Cases for the power-cut campaign: one life of a till without screens, on a chip with a journal and 8 keyring sectors.

A life boots as the terminal does, then runs its steps until power is cut or all are done. It returns what users saw.
"""

import hashlib

from cases_keys import Entropy
from cases_vault import state
from chips import Chip, PowerCut

from kassa import transactions
from kassa.card.arena import Arena
from kassa.crypto.device_keys import JOURNAL, KBPK, KEYRING, device_key
from kassa.desk.offline_limits import Limits
from kassa.desk.till import Till
from kassa.errors import KassaError
from kassa.uplink.in_flight import InFlight
from kassa.uplink.queue import Queue
from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.mount import mount
from kassa.vault.journal.reader import Reader
from kassa.vault.journal.recovery import recover
from kassa.vault.journal.tags import Tags
from kassa.vault.keyring import key_load, reservation
from kassa.vault.keyring.keyring import Keyring

_KEYRING = 8 * 4096
_LONG = 400
_arena = Arena()


class Clock:
    """A trusted clock that stands still."""

    trusted = True

    def now(self):
        return 800000000


class Life:
    """A booted till. `keys` are the [counter, STAN] of each payment prepared."""

    def __init__(self, chip, secret, seed, tags=Tags):
        size = chip.size - _KEYRING
        entropy = Entropy(seed)
        self.keys = []
        self.chip = chip
        self.ring = Keyring(chip.region(size, _KEYRING), device_key(secret, KEYRING), entropy)
        self.ring.open(device_key(secret, KBPK))
        self.journal = Journal(chip.region(0, size), device_key(secret, JOURNAL))
        if tags is not Tags:
            self.journal.tags = tags(device_key(secret, JOURNAL))
        self.tail = mount(self.journal)
        recover(self.journal)
        self.queue = Queue(self.journal)
        self.queue.restart(0)
        self.till = Till(self.journal, self.ring, Limits(b""), 5000000, Clock(), entropy)

    # -- steps ------------------------------------------------------------------------------------------------------

    def idle(self):
        """Do all idle work."""
        while self.till.idle_step():
            pass

    def pay(self, amount, kind, long=False):
        """Take a payment: [sequence, uid, amount]."""
        till = self.till
        till.prepare_ciphers()
        draft = till.draft
        self.keys.append([draft.counter, draft.stan])
        _arena.wipe()
        _arena.body[:4] = b"\x57\x02\x12\x34"
        if long:
            till.draft.data = bytearray(b"\x57\x02\x12\x34" * (_LONG // 4))
            draft.type, draft.amount, draft.time, draft.entry, draft.flags = transactions.SALE, amount, 800000000, 7, 1
            sealer, till._sealer = till._sealer, None
            self.journal.stage(draft)
            sequence = self.journal.accept(draft, sealer, kind)
        elif kind == layout.ACCEPTED:
            sequence = till.accept_offline(amount, _arena)
        else:
            sequence = till.take(layout.INTENT, transactions.SALE, amount, _arena)
        return [sequence, bytes(draft.uid).hex(), amount]

    def final(self, kind, code):
        self.queue.final(self.journal.state.sequence, kind, code.encode())

    def reversing(self):
        self.journal.mark(layout.REVERSING, self.journal.state.sequence, b"98")

    def reversed(self):
        self.journal.mark(layout.REVERSED, self.queue.reversing(), b"00")
        self.queue.advance()

    def defer(self, amount):
        self.till.defer(self.journal.state.sequence, amount, _arena.body)

    def void(self):
        self.till.void_unsent(self.journal.state.sequence)

    def drain(self, meanings):
        """Send and answer up to 64 records, then flush: [uid, hash of the bytes sent, meaning (1 yes, 2 no, 3 later)]."""
        flights, answers, taken = InFlight(), [], []
        page = bytearray(256)
        while len(taken) < 64:
            sequence, _, amount = self.queue.next(page, flights)
            if not sequence:
                break
            flights.add(4, sequence, sequence, amount)
            sent = bytes(page[:248]) + bytes(self.queue._reader.rest or b"")
            taken.append((sequence, amount, bytes(page[8:24]).hex(), hashlib.sha256(sent).digest()[:8].hex()))
        for index in range(len(taken)):
            sequence, amount, uid, sent = taken[index]
            meaning = meanings[index % len(meanings)]
            answers.append([uid, sent, meaning])
            self.queue.answered(sequence, amount, meaning, (b"", b"00", b"51", b"96")[meaning])
        self.queue.flush()
        self.queue.rewind()
        return answers

    def closing(self):
        self.journal.mark(layout.CLOSING, self.journal.state.sequence)

    def close(self):
        self.journal.mark(layout.CLOSED, self.journal.state.sequence)

    def heard(self, times):
        """Hear the host `times` times: marks without money move around the ring."""
        for index in range(times):
            self.idle()
            self.journal.mark(layout.HEARD, 800000000 + index)

    def state(self):
        return state(self.journal)

    def list(self):
        """[sequence, uid, amount] of every record of the open batch."""
        reader = Reader(self.journal, self.journal.state.closed + 1)
        page, found = bytearray(256), []
        while reader.read(page):
            record = layout.Record(page)
            found.append([record.sequence, record.uid.hex(), record.amount])
        return found


def leave_old_copies(flash, kept, among=0):
    """A control: older key states are not erased."""


class BelievesAll(Tags):
    """A control: any page with a record's first byte counts as a record."""

    def record_holds(self, page, rest=None):
        return True


_TAGS = {"no tags": BelievesAll}


def life(path, secret, steps, options):
    """`options`: cut, tear, seed, unstable, faults, endurance, wear, variant. Steps are [name, arguments ...].

    `done`: result of each step; `begun`: steps begun; `firm`: something was written that a later boot would not rewrite.
    """
    faults = {int(sector): fault for sector, fault in options.get("faults", {}).items()}
    chip = Chip(
        path, options.get("cut", 0), options.get("tear", "none"), options.get("seed", 1), (), faults,
        options.get("endurance", 0), options.get("unstable", ()), options.get("wear", ()),
    )  # fmt: skip
    result = {"done": [], "booted": None, "cut": False, "error": "", "keys": [], "begun": 0}
    variant = options.get("variant", "")
    now = None
    kept = reservation.keep_only
    if variant == "old copy":
        reservation.keep_only = key_load.keep_only = leave_old_copies
    try:
        secret = bytearray(bytes.fromhex(secret))
        now = Life(
            chip,
            secret,
            options.get("seed", 1),
            _TAGS.get(variant, Tags),
        )
        result["torn"] = now.tail.torn
        result["booted"] = now.state()
        result["boot_operations"] = chip.operations()
        for step in steps:
            result["begun"] += 1
            if variant == "early" and step[0] == "pay":
                result["done"].append([now.journal.state.sequence + 1, "", step[1]])
                getattr(now, step[0])(*step[1:])
            else:
                result["done"].append(getattr(now, step[0])(*step[1:]))
    except PowerCut:
        result["cut"] = True
    except KassaError as error:
        result["error"] = type(error).__name__
    finally:
        reservation.keep_only = key_load.keep_only = kept
    result["keys"] = now.keys if now else []
    result["log"] = chip.log
    result["erased"] = chip.erased
    result["firm"] = any(
        at % 4096 and at < chip.size - _KEYRING for at in chip.programmed
    )  # a header may be programmed again
    result["unstable"] = chip.unstable()
    result["wear"] = [[sector, count] for sector, count in chip.chip.wear.items()]
    chip.save()
    return result
