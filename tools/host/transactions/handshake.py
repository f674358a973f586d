# SPDX-License-Identifier: MIT
"""0800: terminal and host exchange the state of the journal as each knows it; the host also sends the time.

The answer describes the current state, so each handshake gets a new one and none is stored.
"""

import datetime
from typing import Any

from sqlalchemy import Row

from tools.host.transactions import chain, epochs, key_window, record_checks, restore, terminals
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import answers
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message

AGREED, ROLLBACK, BEHIND = 0, 1, 2  # the state; ROLLBACK and BEHIND are bits
_VERSION = 1
_QUARTER = datetime.timedelta(minutes=15)
MOST_UNSENT = 32_768  # records that a terminal may hold and the host not: a journal of 8 MiB has room for 30,720


def handle(request: RequestContext, age: str) -> Answer:
    """The answer to a handshake. `age`: of its KSN, see key_window.py.

    A late one was sent before others that have arrived, so what it shows is of the past: nothing is done with it.
    """
    body, terminal = request.message.body, request.terminal
    epoch, newest, tag = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:7], "big"), body[7:15].hex()
    counter = request.message.counter
    if age == key_window.LATE and not record_checks.has_body(request.db, request.tid, terminal.ikid, counter):
        return _answer(request, restore.current(request.db, request.tid))
    used = age != key_window.FRESH
    if epoch > terminal.epoch and not used and _is_first_contact(request):
        terminals.change(request.db, terminal, epoch=epoch)  # first contact: take over the terminal's epoch
    elif not used and _is_later(request, epoch, newest):
        restore.notice_epoch(request, epoch, newest)
    suspicion = "its message keys were used before" if used else _evidence(request, epoch, newest, tag)
    behind = restore.current(request.db, request.tid)
    if suspicion:
        terminals.quarantine(request.db, terminal, suspicion)
    elif epoch == terminal.epoch:
        behind = restore.notice(request, newest)
        terminals.change(request.db, terminal, reported_sequence=newest, reported_tag=tag)
        epochs.begin(request.db, terminal)
        epochs.close_older(request.db, terminal)
    else:
        epochs.set_start(request.db, terminal, newest)
    terminals.heard(request.db, terminal, body[15:])
    return _answer(request, behind)


def unknown_terminal_answer(message: Message, now: datetime.datetime) -> Answer:
    """Code 97: the terminal is unknown, or its keys belong to another terminal."""
    elements = {"_62": _form(AGREED, 0, 0, terminals.NO_TAG, now, 0)} if message.mti == "0800" else {}
    if message.mti == "0500":
        elements = {"_48": "0" * 30 + "3" + "0" * 30 + "3", "_49": message.fields["49"]}
    else:
        elements["_39"] = answers.UNKNOWN_TERMINAL
    return answers.compose(message, now, "Terminal not known here", **elements)


def _evidence(request: RequestContext, epoch: int, newest: int, tag: str) -> str | None:
    """The evidence that a terminal is rolled back or cloned, or None.

    Its journal ends before a sequence the host knows of, or has another tag at that sequence.
    """
    terminal = request.terminal
    if epoch > terminal.epoch:
        return f"epoch {epoch} was never begun"
    if epochs.is_over(terminal, epoch):
        return f"epoch {epoch} is over, {terminal.epoch} was begun"
    if epoch < terminal.epoch:
        return None  # it will adopt our epoch from the answer
    held, tags, _ = chain.highest(request.db, request.tid, epoch)
    mark = max(held, terminal.reported_sequence)
    if newest < mark:
        return f"journal ends at {newest}, {mark} was seen before"
    behind = restore.behind_by(terminal, int(request.message.batch)) or restore.current(request.db, request.tid)
    if newest - max(mark, terminal.start) > (restore.MOST_RECORDS if behind else MOST_UNSENT):
        return f"it shows record {newest}, and no journal holds so many after {mark}"
    if (newest == held and tag not in tags) or (newest == terminal.reported_sequence and tag != terminal.reported_tag):
        return f"another record has sequence {newest}"
    return None


def _is_later(request: RequestContext, epoch: int, newest: int) -> bool:
    """Whether the terminal is in a later epoch, which the host has forgotten, and has everything that the host knows."""
    terminal, shown = request.terminal, int(request.message.batch)
    held = chain.highest(request.db, request.tid, terminal.epoch)[0]
    mark = max(held, terminal.reported_sequence)
    near = terminal.epoch < epoch <= terminal.epoch + restore.MOST_EPOCHS and restore.behind_by(terminal, shown) > 0
    return near and mark <= newest <= mark + restore.MOST_RECORDS


def _is_first_contact(request: RequestContext) -> bool:
    return (
        not request.terminal.reported_sequence and not chain.highest(request.db, request.tid, request.terminal.epoch)[0]
    )


def _answer(request: RequestContext, behind: Row[Any] | None) -> Answer:
    """`behind`: the restore under way. Then the terminal is to send everything above its `after` again."""
    terminal = request.terminal
    held, _, tag = chain.highest(request.db, request.tid, terminal.epoch)
    state = (ROLLBACK if terminal.quarantine else AGREED) | (BEHIND if behind is not None else 0)
    if behind is not None:
        held, tag = behind.after, terminals.NO_TAG
    text = "Rolled back or cloned: call a supervisor" if state & ROLLBACK else ""
    form = f"00{terminal.batch:06}900"
    used = max(terminal.message_mark, record_checks.highest_counter(request.db, request.tid, terminal.ikid))
    return request.answer(
        answers.APPROVED, text, _60=form, _62=_form(state, terminal.epoch, held, tag, request.now, used)
    )


def _form(state: int, epoch: int, held: int, tag: str, now: datetime.datetime, used: int) -> str:
    """DE 62 of the answer: version, state, epoch, highest sequence, its tag, local time (BCD), highest counter used,
    quarter hours that local time is ahead of UTC (signed).
    """
    zone = now.astimezone().utcoffset() // _QUARTER  # type: ignore[operator]  # an aware time has an offset
    return f"{_VERSION:02X}{state:02X}{epoch:04X}{held:08X}{tag}{now:%Y%m%d%H%M%S}{used:08X}{zone & 0xFF:02X}"
