# SPDX-License-Identifier: MIT
"""Every word the terminal shows or prints, one table a language."""
