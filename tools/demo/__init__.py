# SPDX-License-Identifier: MIT
"""The demo: a shop day with an outage and a power cut, in under a minute, without a window. Checks itself to the cent."""
