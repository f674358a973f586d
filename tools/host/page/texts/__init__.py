# SPDX-License-Identifier: MIT
"""The words of the pages, one file a language, with the same keys."""
