# SPDX-License-Identifier: MIT
"""The settings, made by provisioning and changed by the host. Format: docs/keys.md."""
