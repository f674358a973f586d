# SPDX-License-Identifier: MIT
"""Fixtures: an adapter with its simulated acquirer, in each dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.acquirer.bench import Bench

New = Callable[..., Bench]


@pytest.fixture
def new_bench(tmp_path: Path) -> Iterator[New]:
    """Makes one; `settings` are keys of [card]."""
    made: list[Bench] = []

    def make(dialect: str = "cup-1987", **settings: Any) -> Bench:
        made.append(Bench(tmp_path, dialect, **settings))
        return made[-1]

    yield make
    for bench in made:
        bench.close()
