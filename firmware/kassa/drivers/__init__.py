# SPDX-License-Identifier: MIT
"""Hardware drivers, one chip per file. Each is given machine objects (buses, pins) by the board; none uses globals."""
