# SPDX-License-Identifier: MIT
"""What the pages read. Every query is served by an index and reads a bounded number of rows."""

from typing import Any

from sqlalchemy import Select

Query = Select[*tuple[Any, ...]]  # of any columns
