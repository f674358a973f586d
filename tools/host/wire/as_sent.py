# SPDX-License-Identifier: MIT
"""The message in which a terminal would send a record. So a record that is handed in is checked as on the wire, and
what the terminal sends itself later is the same request again (docs/wire.md, What the host keeps).
"""

from tools.host.keys.seal import Record
from tools.host.transactions.terminals import Terminal
from tools.host.wire import codec, kinds
from tools.host.wire.message import Message, read

_HEADER = "6000030000" + "613100000100"  # TPDU and header as sent up
_OPERATOR = b"01 "
_COUNTER = "00000001"  # of a message KSN; DE 53 and DE 64 are not part of a request's content
_OFFLINE = 0x08  # flag of a record: the card approved it offline and was proven


def queued_type(record: Record) -> str:
    """60.1 of the message that carries a record from a terminal's queue."""
    if record.type != kinds.SALE:
        return record.type
    return kinds.OFFLINE_SALE if record.flags & _OFFLINE else kinds.DEFERRED_SALE


def message(terminal: Terminal, record: Record, kind: str, original: str = "") -> Message:
    """A record in a message with 60.1 `kind`. `original`: DE 61, batch and STAN (12 digits) of the payment it names.

    Its DE 64 is zero: it is not to be sent. Raises FrameError if no message of docs/wire.md carries such a record.
    """
    row = kinds.KINDS[record.type]
    fields = {
        "h": _HEADER,
        "t": kinds.KINDS[kind].mti,
        "3": row.process,
        "4": f"{record.amount:012}",
        "11": record.stan,
        "22": record.entry_mode + "2",
        "25": row.condition,
        "41": terminal.tid,
        "42": terminal.mid,
        "49": "156",
        "53": terminal.ikid.hex() + _COUNTER,
        "60": f"{kind}{record.batch}000600",
        "62": "01" + record.raw.hex(),
        "63": (_OPERATOR + record.uid).hex(),
        "64": "00" * 8,
    }
    return read(codec.encode({**fields, **({"61": original} if original else {})}))
