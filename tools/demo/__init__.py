# SPDX-License-Identifier: MIT
"""The demo: a day's worth of trouble in under a minute, without a window, that checks itself to the cent."""
