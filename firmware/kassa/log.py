# SPDX-License-Identifier: MIT
"""Logs to the console which task stopped and where, and why there is no connection. Never logs values or secrets."""

import sys


def stopped(name: str, error: Exception) -> None:
    """Log that a task ended with an unexpected error."""
    print("kassa: task %s stopped" % name)
    sys.print_exception(error)


def no_connection(cause: str) -> None:
    """Log why the host is not reached: a key of screens/texts/causes_en.py."""
    print("kassa: no connection: %s" % cause)
