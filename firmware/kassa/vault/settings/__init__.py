# SPDX-License-Identifier: MIT
"""What provisioning and the host set. Format: docs/keys.md."""
