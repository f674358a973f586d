# SPDX-License-Identifier: MIT
"""The fuzzer of everything a card or a reader can say. `make fuzz SECONDS=n SEED=n`."""
