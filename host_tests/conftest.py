# SPDX-License-Identifier: MIT
"""Fixtures that several test folders share: worlds, MicroPython without a world, a till and its host."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import settings

from host_tests.harness.host.migrated import from_script
from host_tests.harness.in_micropython.runner import Inside, both_widths, interpreter_of
from host_tests.harness.long_runs import LONG, like_cases
from host_tests.harness.uplink.till import Till, TinyHost
from host_tests.harness.whole.cashier import QUICK
from tools.bench import romfs
from tools.host.store import migrate
from tools.world import World, interpreter

# The same examples in every run, so that only the code under test varies. --hypothesis-profile search tries new ones.
settings.register_profile("steady", derandomize=True, database=None)
settings.register_profile("search", print_blob=True)
settings.load_profile("steady")


@pytest.hookimpl(trylast=True)  # after those that leave out what was not asked for
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the cases of a test `make test` runs every n-th, and always the first; `make long` runs all. See long_runs.py."""
    if LONG:
        return
    seen: Counter[tuple[object, ...]] = Counter()
    left_out = []
    for item in items:
        group, every = like_cases(item)
        if seen[group] % every:
            left_out.append(item)
        seen[group] += 1
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name a failure when it happens. A run that is ended from outside prints no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.nodeid}: {report.when} failed", flush=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop if $MICROPYTHON names an unsuitable interpreter. Without $MICROPYTHON, tests skip if none is installed."""
    problem = interpreter.problem() if os.environ.get("MICROPYTHON") else None
    if problem:
        pytest.exit(problem, pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="session")
def micropython() -> str:
    """The interpreter under test."""
    return interpreter.micropython()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware of QUICK as bytecode, as it is flashed. It starts faster than text."""
    return romfs.build(tmp_path_factory.mktemp("compiled") / "quick.romfs", QUICK)


@pytest.fixture(scope="session", autouse=True)
def databases_from_a_script() -> Iterator[None]:
    """New SQLite databases are made without their migrations; see harness/host/migrated.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "upgrade", from_script(migrate.upgrade))
        yield


@pytest.fixture
def new_world(micropython: str, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """A function that makes a world: `new_world(script="", **arguments of World)`. `script` replaces main.py.

    All worlds of one test share a home, so the second finds the flash chip of the first. Worlds are closed afterwards.
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
    """Like `new_world`, but with the power switched on."""

    def run(script: str, **options: object) -> World:
        world = new_world(script, **options)
        world.power_on()
        return world

    return run


@pytest.fixture(scope="session", params=both_widths())
def inside(request: pytest.FixtureRequest) -> Iterator[Inside]:
    """A long-running MicroPython without a world. Each test runs once on 64 bits and once on 32."""
    with Inside(interpreter_of(request.param)) as worker:
        yield worker


@pytest.fixture
def till(inside: Inside, tmp_path: Path) -> Till:
    """A till booted on a fresh chip. It has heard the host, and its limits allow any deferred payment."""
    till = Till(inside, tmp_path / "chip.bin")
    till.boot()
    return till


@pytest.fixture
def host(till: Till) -> TinyHost:
    """The host at the other end of `till`."""
    return TinyHost(till)
