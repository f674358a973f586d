# SPDX-License-Identifier: MIT
"""Sums of whole numbers. PostgreSQL sums bigint to numeric; here a sum stays a whole number on both databases."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, cast, func


def total(column: ColumnElement[Any]) -> ColumnElement[int]:
    """The sum of a column, 0 for no rows."""
    return cast(func.coalesce(func.sum(column), 0), BigInteger().with_variant(Integer, "sqlite"))
