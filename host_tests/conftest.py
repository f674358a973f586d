# SPDX-License-Identifier: MIT
"""Fixtures for whole terminals: worlds around the real firmware or around a small script, closed when the test ends."""

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tools.world import World, interpreter


@pytest.fixture(scope="session")
def micropython() -> str:
    """The interpreter under test."""
    return interpreter.micropython()


@pytest.fixture
def new_world(micropython: str, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """A function that makes a world: `new_world(script="", **arguments of World)`; `script` stands in for main.py.

    Its home is the test's folder, so a second world of one test finds the flash chip of the first.
    """
    worlds: list[World] = []

    def make(script: str = "", home: str = "home", **options: object) -> World:
        if script:
            folder = tmp_path / f"firmware{len(worlds)}"
            folder.mkdir()
            (folder / "main.py").write_text(dedent(script))
            options["source"] = folder
        world = World(tmp_path / home, micropython=micropython, **options)  # type: ignore[arg-type]
        worlds.append(world)
        return world

    yield make
    failures = []
    for world in worlds:
        try:
            world.close()
        except AssertionError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


@pytest.fixture
def run_script(new_world: Callable[..., World]) -> Callable[..., World]:
    """Like `new_world`, with the power on."""

    def run(script: str, **options: object) -> World:
        world = new_world(script, **options)
        world.power_on()
        return world

    return run
