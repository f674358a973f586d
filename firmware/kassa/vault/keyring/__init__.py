# SPDX-License-Identifier: MIT
"""The DUKPT keys. The state in flash is always ahead of the keys in use. Format: docs/keys.md."""
