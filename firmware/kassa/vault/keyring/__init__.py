# SPDX-License-Identifier: MIT
"""The DUKPT keys, always ahead of the ones in use. Format: docs/keys.md."""
