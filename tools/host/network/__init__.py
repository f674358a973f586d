# SPDX-License-Identifier: MIT
"""The network port for terminals."""
