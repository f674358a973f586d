# SPDX-License-Identifier: MIT
"""A terminal without screens: the real till, keyring, journal and courier on one chip image, stepped by the test.

The image holds the journal from 0 and the keyring in the last eight sectors. Time stands still unless the test moves it.
"""

from cases_keys import Entropy
from chips import Chip, Clock

from kassa import transactions
from kassa.card.arena import Arena
from kassa.crypto.device_keys import JOURNAL, KBPK, KEYRING, device_key
from kassa.desk import cardless_body, write_off_unreadable
from kassa.desk.batch import Totals, totals
from kassa.desk.disposition_word import disposition
from kassa.desk.offline_limits import Limits
from kassa.desk.till import Till
from kassa.errors import Refused, WireError
from kassa.status import Status
from kassa.uplink.batch_close import submit
from kassa.uplink.courier import Courier
from kassa.uplink.exchange import Exchange
from kassa.uplink.identity import Identity
from kassa.uplink.iso8583 import MAX_FRAME
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import MISSING
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import Record
from kassa.vault.journal.mount import mount
from kassa.vault.journal.reader import Reader, dispositions_above
from kassa.vault.journal.recovery import recover
from kassa.vault.journal.refused_later import Search
from kassa.vault.keyring.keyring import Keyring

_KEYRING = 8 * 4096
_arena = Arena()
_now = None  # the terminal


class Terminal:
    """A plain namespace."""


def boot(path, secret, options):
    """Power on. `options`: limits (hex), largest, time, trusted, seed, cut, tear."""
    global _now
    t = _now = Terminal()
    t.chip = Chip(path, options.get("cut", 0), options.get("tear", "none"))
    size = t.chip.size - _KEYRING
    secret = bytearray(bytes.fromhex(secret))
    entropy = Entropy(options.get("seed", 1))
    t.keyring = Keyring(t.chip.region(size, _KEYRING), device_key(secret, KEYRING), entropy)
    t.keyring.open(device_key(secret, KBPK))
    t.journal = Journal(t.chip.region(0, size), device_key(secret, JOURNAL))
    t.tail = mount(t.journal)
    recover(t.journal)
    t.clock = Clock(options.get("time", 0), options.get("trusted", False))
    t.status = Status()
    t.entropy = entropy
    limits = Limits(bytes.fromhex(options.get("limits", "")))
    t.till = Till(t.journal, t.keyring, limits, options.get("largest", 5000000), t.clock, entropy)
    t.courier = Courier(t.journal, t.keyring, Identity(b"KASSA001", b"898000000000001"), t.clock, t.status, entropy)
    while t.journal.prepare():
        pass
    for _ in Search(t.journal).steps():
        pass
    return state()


def save():
    """Write the image back."""
    _now.chip.save()


def state():
    """The state of journal, courier and status."""
    t = _now
    s = t.journal.state
    return {
        "sequence": s.sequence, "count": s.count, "sum": s.sum, "watermark": s.watermark, "closed": s.closed,
        "batch": s.batch, "heard": s.heard, "reversing": s.reversing, "closing": s.closing, "oldest": s.oldest,
        "marks": [[about, kind] for about, kind in t.journal.dispositions.items()],
        "fate": disposition(Record(t.journal.last), t.journal.disposition) if t.journal.last[0] else "",
        "work": bool(
            t.courier.unanswered() or t.courier.request or t.courier.task or s.reversing or t.courier.queue.has_work()
        ),
        "flights": t.courier.unanswered(), "fault": t.courier.fault,
        "handshaken": t.courier.handshaken, "outcome": t.courier.outcome.kind, "request": t.courier.request,
        "refused": t.status.refused_later, "pending": [t.status.pending_count, t.status.pending_sum],
        "time": t.clock.at, "east": t.clock.east, "trusted": t.clock.trusted, "supervisor": t.till.needs_supervisor,
        "text": t.courier.outcome.text, "auth": t.courier.outcome.auth, "rrn": t.courier.outcome.rrn,
        "uploaded": t.courier.outcome.uploaded, "disputed": t.courier.outcome.disputed, "waiting": t.courier.outcome.waiting,
        "shown": t.courier.outcome.code_to_show, "balance": t.courier.outcome.balance,
        "programs": t.chip.chip.programs, "keys_left": bool(t.courier.in_flight) and any(t.courier.in_flight._keys),
    }  # fmt: skip


def clock(at, trusted):
    """Set the time."""
    _now.clock.at, _now.clock.trusted = at, trusted


def _card(track):
    """Data of a card that was read: tag 57 first, then a few EMV objects."""
    _arena.wipe()
    data = bytes.fromhex(track)
    body = b"\x57" + bytes([len(data)]) + data + bytes.fromhex("9f260811223344556677889f2701809f3602000a95050000000000")
    _arena.body[: len(body)] = body
    _arena.first6[:] = data[:3]
    _arena.last4[:] = data[6:8]
    return _arena


def sell(amount, track, supervisor=False):
    """A deferred sale that checks the limits: its sequence, or [key, values] of the refusal."""
    t = _now
    try:
        t.till.check_amount(amount)
        t.till.check_offline(amount)
        card = _card(track)
        t.till.check_card(card.body)
        return t.till.accept_offline(amount, card, supervisor)
    except Refused as refused:
        return [refused.key, list(refused.values)]
    finally:
        _arena.wipe()
        t.status.set_pending(t.journal.state)


def take(amount, track):
    """A deferred sale that ignores the limits; its sequence."""
    try:
        return _now.till.accept_offline(amount, _card(track))
    finally:
        _arena.wipe()
        _now.status.set_pending(_now.journal.state)


def check(amount):
    """[key, values] if this amount is refused offline, else None."""
    try:
        _now.till.check_amount(amount)
        _now.till.check_offline(amount)
    except Refused as refused:
        return [refused.key, list(refused.values)]
    return None


def intent(amount, track, submit=True):
    """Store an online sale and pass it to the courier; its sequence."""
    sequence = _now.till.take(layout.INTENT, transactions.SALE, amount, _card(track))
    if submit:
        _now.courier.submit(sequence)
    return sequence


def withdraw():
    """Withdraw the online sale from the courier, so that the cashier can decide about it."""
    return _now.courier.withdraw()


def unsent(sequence, amount, track, defer):
    """Defer or void an online sale that was never sent. False if it is too late."""
    t = _now
    if t.courier.request and not t.courier.withdraw():
        return False
    try:
        if defer:
            t.till.defer(sequence, amount, _card(track).body)
        else:
            t.till.void_unsent(sequence)
    finally:
        t.courier.withdrawn = 0
    return True


def allowed_online():
    return _now.till.online_allowed()


def heard():
    _now.till.host_heard()


def prepare_ciphers():
    while _now.till.idle_step():
        pass


def skip_used():
    _now.till.skip_used(_now.courier.counter_seen)


def open():
    _now.courier.open()
    _now.exchange = Exchange(_now.courier)


def fill(size=2048):
    """The bytes that the exchange sends now, hex."""
    data = b""
    while size - len(data) >= MAX_FRAME:
        frame = _now.exchange.next_frame()
        if frame is None:
            break
        data += bytes(frame)
    return data.hex()


def feed(data):
    """Pass bytes from the host to the exchange."""
    _now.exchange.feed(memoryview(bytes.fromhex(data)))


def pause():
    """The connection is idle: its exchange ends."""
    _now.exchange.end()
    _now.idle = _now.courier.work()
    _now.exchange = None


def resume():
    """The idle connection becomes active again if there is something new to send; whether it does."""
    if _now.courier.work() == _now.idle or not _now.courier.has_work():
        return False
    _now.exchange = Exchange(_now.courier)
    return True


def lost():
    _now.courier.disconnected()


def give_up():
    _now.courier.give_up()


def give_up_unreadable(sequence):
    """Make a record unreadable and let a supervisor give it up. Returns the sequence given up."""
    _now.journal.dispositions.set(sequence, MISSING)
    _now.journal.unreadable = sequence
    return write_off_unreadable.give_up(_now.journal)


def close(over=None):
    """Request a batch close: [DE 48, debit count and sum, cash count and sum, not paid]. `over`: other totals to send."""
    batch = totals(_now.journal)
    submit(_now.courier, bytes.fromhex(over) if over else batch.de48(), _now.entropy)
    counts, sums = batch.counts, batch.sums
    values = [
        counts[transactions.DEBIT],
        sums[transactions.DEBIT],
        counts[transactions.IN_CASH],
        sums[transactions.IN_CASH],
        batch.not_paid,
    ]
    return [batch.de48().hex()] + values


def record(sequence):
    """A record's page in hex, "" if it cannot be read."""
    page = bytearray(256)
    return page.hex() if Reader(_now.journal, sequence).read(page) == sequence else ""


def cash(amount):
    """A cash payment; its sequence."""
    return _now.till.take(layout.ACCEPTED, transactions.CASH, amount, cardless_body.cash())


def ask(kind, amount, track="", original=0, submit=True):
    """Store the intent of a request, with a card or about an earlier record, and submit it; its sequence."""
    t = _now
    source, back = _source(track, original)
    sequence = t.till.take(layout.INTENT, kind, amount, source, back)
    if submit:
        t.courier.submit(sequence)
    return sequence


def advise(kind, amount, track="", original=0):
    """Store an advice, with a card or about an earlier record; its sequence."""
    source, back = _source(track, original)
    return _now.till.take(layout.ACCEPTED, kind, amount, source, back)


def _source(track, original):
    if not original:
        return (_card(track), 0) if track else (cardless_body.shown_code(b""), 0)
    page = bytearray(256)
    Reader(_now.journal, original).read(page)
    return cardless_body.for_record(page), _now.journal.state.sequence + 1 - original


def ask_again():
    _now.courier.resend = True


def marks():
    """All marks about records of the open batch, in the order written: [sequence, kind]."""
    return [[about, kind] for about, kind in dispositions_above(_now.journal, _now.journal.state.closed)]


def dispositions(marks, type=transactions.SALE, flags=0):
    """The disposition of each kind of record under each of these marks: [record kind, mark, word]."""
    found = []
    for kind in (layout.ACCEPTED, layout.INTENT):
        page = bytearray(256)
        page[0], page[1], page[53] = kind, type, flags
        for mark in [0] + marks:
            found.append([kind, mark, disposition(Record(page), mark)])
    return found


def hear(at):
    """Note that the host was heard at this time."""
    _now.journal.mark(layout.HEARD, at)


def totals_digits(debit, debits, credit, credits):
    """DE 48 for the given totals."""
    batch = Totals(1)
    batch.sums[transactions.DEBIT], batch.counts[transactions.DEBIT] = debit, debits
    batch.sums[transactions.CREDIT], batch.counts[transactions.CREDIT] = credit, credits
    return batch.de48().hex()


def idle():
    """Do one piece of idle work. False when there is none."""
    return _now.journal.prepare()


def try_answer(data):
    """Feed one frame: "WireError" if it breaks the connection, else "dropped"."""
    try:
        feed(data)
    except WireError:
        _now.exchange._inbox._filled = 0
        _now.courier.bad_macs = 0
        return "WireError"
    _now.courier.bad_macs = 0
    return "dropped"
