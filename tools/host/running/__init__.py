# SPDX-License-Identifier: MIT
"""The running host: its process, logs, metrics and health."""
