# SPDX-License-Identifier: MIT
"""Takes over a database of version 0.1, which was SQLite alone: moves its rows aside, and back into the new tables."""

from sqlalchemy import Connection

_TABLES = ("entry", "payment", "message", "link", "beginning", "tombstone", "batch", "hand_in", "audit", "terminal")
_MID = "(SELECT mid FROM old_terminal t WHERE t.tid = {0}.tid)"
_AS_IT_IS = ("terminal", "beginning", "tombstone")  # the columns they had are the same
_COPIES = {
    "payment": f"""
        SELECT tid, uid, COALESCE({_MID.format("p")}, '') AS mid, id AS number, epoch, sequence, batch, settled_in, stan,
            type, amount, currency, first6, last4, pan_token, atc, taken_at, header, body_hash, body_counter, state,
            quarantined, (SELECT o.tid FROM old_payment o WHERE o.uid = p.original) AS original_tid, original, refers_to,
            COALESCE(worth, CASE type WHEN '23' THEN -amount ELSE amount END) AS worth, code, auth_code, rrn, text,
            handed_in, received, answered, CASE WHEN rrn IS NULL THEN NULL ELSE substr(answered, 1, 10) END AS day
        FROM old_payment p""",
    "message": "SELECT tid, class, uid, epoch, batch, stan, hash, answer FROM old_message",
    "link": "SELECT tid, epoch, sequence, uid, previous_tag, tag, recomputed_tag, kind, state FROM old_link",
    "batch": f"""
        SELECT tid, epoch, number, COALESCE({_MID.format("b")}, '') AS mid, state, debit_amount, debit_count,
            credit_amount, credit_count, uploaded, opened, closed
        FROM old_batch b""",
    "hand_in": "SELECT tid, id AS number, at, operator, digest, report FROM old_hand_in",
    "audit": "SELECT COALESCE(tid, '') AS tid, id AS number, at, what, detail FROM old_audit",
    "entry": """
        SELECT p.tid, p.uid, e.account, e.reason, p.mid, SUM(e.amount) AS amount, MIN(e.at) AS at,
            MIN(substr(e.at, 1, 10)) AS day
        FROM old_entry e JOIN old_payment o ON o.id = e.payment_id JOIN payment p ON p.tid = o.tid AND p.uid = o.uid
        GROUP BY p.tid, p.uid, e.account, e.reason HAVING SUM(e.amount) <> 0""",
    "balance": "SELECT tid, mid, account, SUM(amount) AS amount FROM entry GROUP BY tid, mid, account",
    "turnover": """
        SELECT tid, epoch, settled_in AS batch, COALESCE(day, '') AS day, type, mid, COUNT(*) AS count,
            SUM(worth) AS worth
        FROM payment WHERE state = 'APPROVED' GROUP BY tid, epoch, settled_in, day, type, mid""",
}  # new table -> its rows, in an order in which each finds what it needs


def set_aside(db: Connection) -> None:
    """Move the rows of all old tables into temporary ones."""
    for name in _TABLES:
        db.exec_driver_sql(f"CREATE TEMP TABLE old_{name} AS SELECT * FROM {name}")
    for name in (*_TABLES, "account"):
        db.exec_driver_sql(f"DROP TABLE {name}")


def bring_back(db: Connection) -> None:
    """Copy them into the new tables."""
    for name in _AS_IT_IS:
        columns = ", ".join(row.name for row in db.exec_driver_sql(f"PRAGMA table_info(old_{name})"))
        db.exec_driver_sql(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM old_{name}")
    for name, rows in _COPIES.items():
        columns = ", ".join(db.exec_driver_sql(f"SELECT * FROM ({rows}) LIMIT 0").keys())
        db.exec_driver_sql(f"INSERT INTO {name} ({columns}) {rows}")
    for name in _TABLES:
        db.exec_driver_sql(f"DROP TABLE old_{name}")
