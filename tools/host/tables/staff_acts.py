# SPDX-License-Identifier: MIT
"""Takes in what staff did at a terminal (0820, 363). Each act is stored once, however often it is sent."""

import struct

from tools.host.books.double_entry import now
from tools.host.store import upsert
from tools.host.store.schema_staff import staff_act
from tools.host.transactions.request_context import RequestContext

NETWORK = "363"  # 60.3
HEAD = 5  # bytes of DE 62 before the acts: format version, id of the log
_ACT = struct.Struct(">BBBIIIH")
WIDTH = _ACT.size
# As in firmware/kassa/desk/roles.py; a test compares them.
ACTS = {
    1: "log_in", 2: "log_out", 3: "shift", 4: "own_code", 5: "void", 6: "refund", 7: "adjust", 8: "preauth_cancel",
    9: "offline", 10: "write_off", 11: "sign_off", 12: "operators", 13: "reset_cashier", 14: "clear_reversal",
    15: "new_batch", 16: "parameters", 17: "lock", 18: "unlock", 19: "add_operator", 20: "remove_operator",
    21: "reset_code", 22: "export_log", 23: "first_code", 24: "code_locked",
}  # fmt: skip


def store(request: RequestContext) -> None:
    """Store the acts of a message. `request.message.body`: as in docs/wire.md, its length already checked."""
    body = request.message.body
    log, received = body[1:HEAD].hex(), now()
    rows = []
    for at in range(HEAD, len(body), WIDTH):
        act, operator, allowed_by, serial, sequence, time, about = _ACT.unpack_from(body, at)
        rows.append({
            "tid": request.tid, "log": log, "serial": serial, "act": act, "operator": operator, "allowed_by": allowed_by,
            "about": about, "sequence": sequence, "at": time, "received": received,
        })  # fmt: skip
    if rows:
        upsert.insert_new(request.db, staff_act, rows)
