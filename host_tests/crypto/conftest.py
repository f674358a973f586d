# SPDX-License-Identifier: MIT
"""Fixtures of the crypto room: `inside`, MicroPython in 64 and 32 bits."""

from host_tests.inside.inside import inside

__all__ = ["inside"]
