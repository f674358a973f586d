# SPDX-License-Identifier: MIT
"""Taking money: card, cash, code, telephone, pre-authorisation."""
