# SPDX-License-Identifier: MIT
"""What stands behind and around a settlement host in tests, the demo and the panel: issuer, wallet, moods."""
