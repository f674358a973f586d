# SPDX-License-Identifier: MIT
"""The commands of kassa-host, one module each."""
