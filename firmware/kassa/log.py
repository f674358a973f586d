# SPDX-License-Identifier: MIT
"""Logs to the console which task stopped and where. Never logs values or secrets."""

import sys


def stopped(name: str, error: Exception) -> None:
    """Log that a task ended with an unexpected error."""
    print("kassa: task %s stopped" % name)
    sys.print_exception(error)
