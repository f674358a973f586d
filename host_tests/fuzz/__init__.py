# SPDX-License-Identifier: MIT
"""Fuzzer for the parsers of card, reader and host messages. Run it with `make fuzz SECONDS=n SEED=n`."""
