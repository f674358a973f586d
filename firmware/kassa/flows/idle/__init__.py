# SPDX-License-Identifier: MIT
"""Between customers: the home page, the menu, and what a start has to say."""
