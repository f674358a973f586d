# SPDX-License-Identifier: MIT
"""The messages of docs/wire.md: frames, data elements, kinds of payment, answers."""
