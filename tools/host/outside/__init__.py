# SPDX-License-Identifier: MIT
"""Those outside who move money: card issuers and wallets."""
