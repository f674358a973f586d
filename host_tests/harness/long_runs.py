# SPDX-License-Identifier: MIT
"""What `make test` leaves to `make long` (KASSA_LONG=1), which tries every case of every test."""

import os
from pathlib import Path

import pytest

_TESTS = Path(__file__).resolve().parents[1]
LONG = bool(os.environ.get("KASSA_LONG"))
long_only = pytest.mark.skipif(not LONG, reason="takes long: make long")
# Of the cases of a test, `make test` runs every n-th in these folders: each starts a terminal, a host or a database.
_EVERY = {
    "acquirer": 3, "card": 2, "cuts": 2, "fuzz": 2, "host": 3, "host_page": 2, "hwtest": 2, "panel": 2, "provision": 3,
    "tools": 2, "uncertainty": 3, "vault": 4, "wallets": 4, "whole": 3, "world": 2,
}  # fmt: skip


def like_cases(item: pytest.Item) -> tuple[tuple[object, ...], int]:
    """The group of cases that a test's case belongs to, and n: every n-th of the group is enough for `make test`.

    `@pytest.mark.sampled(n)` says n for one test; with `of="file"` its cases and those of the file's other tests are one group.
    """
    test = item.path, getattr(item, "originalname", item.name)
    mark = item.get_closest_marker("sampled")
    if mark is None:
        return test, _EVERY.get(item.path.relative_to(_TESTS).parts[0], 1)
    return ((item.path,) if mark.kwargs.get("of") == "file" else (*test, "sampled")), mark.args[0]
