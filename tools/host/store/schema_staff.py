# SPDX-License-Identifier: MIT
"""What the staff of a shop did at its terminals: who, when, and who allowed it. See docs/staff.md."""

from sqlalchemy import Index, PrimaryKeyConstraint

from tools.host.store.schema import new_table, whole, words

staff_act = new_table(
    "staff_act",
    words("tid"),
    words("log"),  # of the log at the terminal, hex: another one begins when its flash is erased
    whole("serial"),  # of the act in that log, from 1
    whole("act"),  # its id: see ACTS in tools/host/tables/staff_acts.py
    whole("operator"),  # number of who was logged in; 0 = nobody, 100 = cashiers do not log in there
    whole("allowed_by"),  # number of who allowed it, perhaps the same
    whole("about"),  # another number, such as that of the operator who got a new code; 0 = none
    whole("sequence"),  # newest payment of the terminal at that time
    whole("at"),  # by the terminal's clock, local time, s since 2000-01-01
    words("received"),
    PrimaryKeyConstraint("tid", "log", "serial"),
    Index("staff_act_received", "tid", "received"),
)
