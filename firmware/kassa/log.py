# SPDX-License-Identifier: MIT
"""The log goes to the console: what stopped and where. Never values, never secrets."""

import sys


def stopped(name: str, error: Exception) -> None:
    """A task ended by an error nobody expected."""
    print("kassa: task %s stopped" % name)
    sys.print_exception(error)
