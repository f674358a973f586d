# SPDX-License-Identifier: MIT
"""Managing the terminal: last payment, language, about, host test and sign-off."""
