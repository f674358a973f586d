# SPDX-License-Identifier: MIT
"""What becomes of a message: from the frame to its answer."""
