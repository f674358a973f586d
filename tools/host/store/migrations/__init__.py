# SPDX-License-Identifier: MIT
"""Alembic's folder: environment and versions."""
