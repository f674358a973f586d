# SPDX-License-Identifier: MIT
"""What runs on the chip while it is provisioned. Sent over the REPL; no part of the firmware."""
