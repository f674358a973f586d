# SPDX-License-Identifier: MIT
"""The host's card tables: CA keys, AIDs, blocked BINs. Format: docs/keys.md."""
