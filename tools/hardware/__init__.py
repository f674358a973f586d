# SPDX-License-Identifier: MIT
"""What a board folder must keep to: pins, partition tables, sdkconfig keys and manifests. `python -m tools.hardware`."""
