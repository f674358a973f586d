# SPDX-License-Identifier: MIT
"""Fixtures of more than one room: worlds closed when the test ends, MicroPython without a world, a till and its host."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import settings

from host_tests.harness.inside.inside import Inside, interpreter_of
from host_tests.harness.uplink.till import Till, TinyHost
from tools.world import World, interpreter

# The same examples every time, so that a change is judged by what it changed; --hypothesis-profile search looks for others.
settings.register_profile("steady", derandomize=True, database=None)
settings.register_profile("search", print_blob=True)
settings.load_profile("steady")


def pytest_sessionstart(session: pytest.Session) -> None:
    """An interpreter that is named has to be fit for its work; where none is named and none is there, tests skip."""
    said = interpreter.complaint() if os.environ.get("MICROPYTHON") else None
    if said:
        pytest.exit(said, pytest.ExitCode.USAGE_ERROR)


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


@pytest.fixture(scope="session", params=["64", "32"])
def inside(request: pytest.FixtureRequest) -> Iterator[Inside]:
    """A long-lived MicroPython without a world: each test once in 64 bits and once in 32."""
    with Inside(interpreter_of(request.param)) as worker:
        yield worker


@pytest.fixture
def till(inside: Inside, tmp_path: Path) -> Till:
    """Booted on a fresh chip; the host was heard, any deferred payment is within the limits."""
    till = Till(inside, tmp_path / "chip.bin")
    till.boot()
    return till


@pytest.fixture
def host(till: Till) -> TinyHost:
    """The host at the other end of `till`."""
    return TinyHost(till)
