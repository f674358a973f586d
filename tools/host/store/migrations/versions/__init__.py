# SPDX-License-Identifier: MIT
"""The migrations, each after the one it names."""
