# SPDX-License-Identifier: MIT
"""Virtual EMV cards for tests, the demo and the panel. A test tool only: nothing here is meant to be put on a card."""
