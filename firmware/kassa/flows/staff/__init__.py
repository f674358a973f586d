# SPDX-License-Identifier: MIT
"""Staff: logging in and out, operators and their codes, and what only a supervisor or an administrator does."""
