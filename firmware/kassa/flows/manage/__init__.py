# SPDX-License-Identifier: MIT
"""Managing the terminal: language, about, host test and sign-off."""
