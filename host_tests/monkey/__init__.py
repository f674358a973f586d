# SPDX-License-Identifier: MIT
"""Keys, cards, codes, cables and power at random on a whole terminal. Run it with `make monkey LIVES=n SEED=n`."""
