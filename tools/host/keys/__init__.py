# SPDX-License-Identifier: MIT
"""Keys and what they open: DUKPT, sealed records, MACs, certificates, card number tokens."""
