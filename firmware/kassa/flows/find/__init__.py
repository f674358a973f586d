# SPDX-License-Identifier: MIT
"""Looking up payments: search, details and reprint, totals and list of the open batch, what offline limits leave."""
