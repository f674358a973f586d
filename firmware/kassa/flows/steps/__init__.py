# SPDX-License-Identifier: MIT
"""The steps that several transactions share."""
