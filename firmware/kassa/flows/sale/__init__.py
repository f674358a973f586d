# SPDX-License-Identifier: MIT
"""Taking payments: card, cash, code, voice authorisation, pre-authorisation."""
