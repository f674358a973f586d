# SPDX-License-Identifier: MIT
"""One chip a file; each takes bus objects, never pins or globals."""
