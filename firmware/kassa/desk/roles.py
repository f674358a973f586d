# SPDX-License-Identifier: MIT
"""Which role may do what: one table of everything that not every cashier may do, or that the log of acts has.

An act: its name, its id in the log, and the least role that may do it: c cashier, s supervisor, a administrator. Acts that
are entries of the menu have the name of the entry. What is not in the table is for everybody, and is not logged.
"""

from micropython import const

# Ids are never used again: the host has acts of all versions.
TABLE = """
log_in 1 c
log_out 2 c
shift 3 c
own_code 4 c
void 5 s
refund 6 s
adjust 7 s
preauth_cancel 8 s
offline 9 s
write_off 10 s
sign_off 11 s
operators 12 s
reset_cashier 13 s
clear_reversal 14 s
new_batch 15 s
parameters 16 s
lock 17 s
unlock 18 s
add_operator 19 a
remove_operator 20 a
reset_code 21 a
export_log 22 a
first_code 23 s
code_locked 24 c
"""
_ROLES = const("csa")


def least(act: str) -> str:
    """The least role that may do an act; c = everybody."""
    row = _row(act)
    return row[1] if row else "c"


def number(act: str) -> int:
    """The id of an act in the log, 0 if it is not logged."""
    row = _row(act)
    return int(row[0]) if row else 0


def may(role: str, act: str) -> bool:
    """Whether somebody with this role may do an act. "" = nobody is logged in, where cashiers do not log in."""
    return _ROLES.find(role or "c") >= _ROLES.find(least(act))


def holders(act: str) -> str:
    """The roles that may do an act."""
    return _ROLES[_ROLES.find(least(act)) :]


def _row(act: str) -> list:
    start = TABLE.find("\n%s " % act)
    return TABLE[start + len(act) + 2 : TABLE.find("\n", start + 1)].split() if start >= 0 else []
