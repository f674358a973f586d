# SPDX-License-Identifier: MIT
"""Between customers: the home page, the menu, and the report after a restart."""
