# SPDX-License-Identifier: MIT
"""Looking after the terminal: last payment, language, about, host test and sign-off."""
