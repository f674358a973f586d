# SPDX-License-Identifier: MIT
"""Steps shared by several transactions."""
