# SPDX-License-Identifier: MIT
"""Cases for the journal: one life of a chip, from mount to a power cut or the last step."""

from chips import Chip, FlashChip, PowerCut

from kassa import transactions
from kassa.crypto.sealing import Sealer
from kassa.errors import JournalFull, KassaError
from kassa.uplink.in_flight import InFlight
from kassa.uplink.queue import Queue
from kassa.vault.journal import layout
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.mount import mount
from kassa.vault.journal.newest_first import NewestFirst
from kassa.vault.journal.reader import Reader
from kassa.vault.journal.recovery import recover
from kassa.vault.journal.refused_later import Search

_draft = Draft()
_SHORT = bytes(160)


def fill(token, amount):
    """The draft of the payment with this token."""
    draft = _draft
    draft.data = _SHORT
    draft.type = transactions.SALE
    draft.amount = amount
    draft.stan = token % 999999 + 1
    draft.counter = token + 1
    draft.entry = 7
    draft.time = 800000000 + token
    draft.uid[:] = b"kassa-uid-%06d" % token
    draft.nonce[:] = b"nonce-nonce%05d" % (token % 100000)
    draft.mask[:] = b"\x62\x22\x02\x00\x01"
    return draft


def _accept(journal, queue, token, amount, kind):
    draft = fill(token, amount)
    return journal.accept(draft, sealer_of(draft.nonce), kind)


def _accept_long(journal, queue, token, amount):
    """A payment whose body needs two pages."""
    draft = fill(token, amount)
    draft.data = bytes(400)
    return journal.accept(draft, sealer_of(draft.nonce), layout.ACCEPTED)


def sealer_of(nonce, fast=False):
    return Sealer(bytearray(b"data key of case"), bytearray(b"seal key of case"), nonce, fast)


def _fill_up(journal, queue, token, amount, kind):
    """Accept payments until the journal is full; how many were accepted."""
    count = 0
    try:
        while True:
            _accept(journal, queue, token + count, amount, kind)
            count += 1
    except JournalFull:
        return count


def _final(journal, queue, kind, code):
    queue.final(journal.state.sequence, kind, code.encode())
    return journal.state.sequence


def _reversing(journal, queue):
    journal.mark(layout.REVERSING, journal.state.sequence, b"98")


def _reversed(journal, queue):
    journal.mark(layout.REVERSED, queue.reversing(), b"00")
    queue.advance()


def _defer(journal, queue, amount):
    journal.mark(layout.DEFERRED, journal.state.sequence, charged=(amount, 800000000))


def _void(journal, queue):
    journal.mark(layout.VOIDED, journal.state.sequence)


def _drain(journal, queue, meanings, order):
    """Take one queued record per meaning (1 yes, 2 no, 3 later), answer them in `order`, flush; the sequences."""
    flights = InFlight()
    queue.restart(0)
    page = bytearray(256)
    taken = []
    while len(taken) < len(meanings):
        sequence, _, amount = queue.next(page, flights)
        if not sequence:
            break
        flights.add(4, sequence, sequence, amount)
        taken.append((sequence, amount))
    for index in order:
        if index < len(taken):
            queue.answered(
                taken[index][0], taken[index][1], meanings[index], (b"", b"00", b"51", b"96")[meanings[index]]
            )
    queue.flush()
    return [sequence for sequence, _ in taken]


def _closing(journal, queue):
    journal.mark(layout.CLOSING, journal.state.sequence)


def _close(journal, queue):
    journal.mark(layout.CLOSED, journal.state.sequence)
    return journal.state.sequence


def _mark(journal, queue, kind, about):
    journal.mark(kind, about)


def _prepare(journal, queue):
    count = 0
    while journal.prepare():
        count += 1
    return count


def _state(journal, queue):
    return state(journal)


def _list(journal, queue):
    """[sequence, token, amount] of every record that the reader finds."""
    reader = Reader(journal, journal.state.closed + 1)
    page = bytearray(256)
    found = []
    while reader.read(page):
        record = layout.Record(page)
        found.append([record.sequence, int(record.uid[10:]), record.amount])
    return found


def _refused(journal, queue):
    """Later refusals not yet noted: [the journal's count, the sequences found by searching the marks]."""
    known, search = journal.state.refused, Search(journal)
    for _ in search.steps():
        pass
    return [known, list(search.found())]


def _newest_first(journal, queue):
    """[sequence, kind of the mark that decided] of every record in the ring, in the order of the pass."""
    found, whole = [], NewestFirst(journal)
    while whole.left:
        found += reversed([[record.sequence, whole.mark(record)] for record in whole.records()])
    return found


_STEPS = {
    "newest first": _newest_first,
    "accept": _accept, "accept long": _accept_long, "fill": _fill_up,
    "final": _final, "reversing": _reversing, "reversed": _reversed,
    "defer": _defer, "void": _void, "drain": _drain, "closing": _closing, "close": _close,
    "mark": _mark, "prepare": _prepare, "refused": _refused,
    "state": _state, "list": _list,
}  # fmt: skip


def state(journal):
    """The journal's state as JSON values."""
    now = journal.state
    return {
        "sequence": now.sequence, "count": now.count, "sum": now.sum, "watermark": now.watermark, "closed": now.closed,
        "batch": now.batch, "oldest": now.oldest, "heard": now.heard, "reversing": now.reversing, "closing": now.closing,
        "serial": now.serial,
        "fate": journal.disposition, "last": layout.number(journal.last, 4), "kind": journal.last[0], "page": journal.ring.page,
        "marks": [[about, kind] for about, kind in journal.dispositions.items()],
    }  # fmt: skip


def life(path, key, steps, cut=0, tear="none", seed=1, weak=()):
    """Mount the image, run the steps, save the image. `done`: the state after mount, then each step's result."""
    chip = Chip(path, cut, tear, seed, weak)
    result = {"done": [], "cut": False, "error": ""}
    try:
        journal = Journal(chip.region(), bytearray(bytes.fromhex(key)))
        tail = mount(journal)
        recover(journal)
        queue = Queue(journal)
        result["read"] = chip.chip.bytes_read
        result["torn"] = tail.torn
        result["done"].append(state(journal))
        for step in steps:
            result["done"].append(_STEPS[step[0]](journal, queue, *step[1:]))
    except PowerCut:
        result["cut"] = True
    except KassaError as error:
        result["error"] = type(error).__name__
    result["operations"] = chip.operations()
    result["erased"] = chip.erased
    chip.save()
    return result


def allocated(path, key, payments):
    """Accept payments with a locked heap, after one warm-up payment; [accepted, programs, erases] while locked."""
    import micropython

    chip = Chip(path)
    chip.chip = FlashChip(chip.store, chip.size)  # the board's own, which allocates nothing
    journal = Journal(chip.region(), bytearray(bytes.fromhex(key)))
    mount(journal)
    while journal.prepare():
        pass
    transactions = (layout.ACCEPTED, layout.INTENT)
    sealers = [sealer_of(bytearray(16), True) for _ in range(payments + 1)]
    journal.accept(fill(0, 100), sealers[0], layout.ACCEPTED)
    programs, erases = chip.chip.programs, chip.chip.erases
    accept, first = journal.accept, journal.state.sequence
    for index in range(1, payments + 1):
        draft, sealer, kind = fill(index, 20000000), sealers[index], transactions[index % 2]
        micropython.heap_lock()
        try:
            accept(draft, sealer, kind)
        finally:
            micropython.heap_unlock()
    chip.save()
    return [journal.state.sequence - first, chip.chip.programs - programs, chip.chip.erases - erases]


def allocating():
    """The control for `allocated`: take a slice, which must fail with a locked heap."""
    import micropython

    micropython.heap_lock()
    try:
        return len(_draft.uid[:4])
    finally:
        micropython.heap_unlock()
