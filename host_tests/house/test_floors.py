# SPDX-License-Identifier: MIT
"""The floors of the house, read from the imports: a room knows only the floors below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.house.source import FIRMWARE, ROOT, every_import, files, imports, module_of, modules, name, room

FLOOR = {
    "ground": 0, "crypto": 1, "drivers": 1, "vault": 2, "card": 3, "uplink": 3, "desk": 4, "screens": 4, "flows": 5,
    "startup": 6, "safe_mode": 6, "terminal": 7,
}  # fmt: skip
INNER_FLOOR = {  # within a room whose files stand in groups; "" = files of the room itself
    "flows": {"": 0, "steps": 1, "sale": 2, "batch": 2, "manage": 2, "find": 2, "reverse": 3, "staff": 3, "idle": 4},
    "vault": {"": 0, "journal": 1, "settings": 1, "keyring": 2, "card_tables": 2},
}
CORE = ("crypto", "vault", "desk", "card", "uplink")
EDGES = ("uplink/tls_channel.py", "uplink/connection_task.py", "card/tap.py")  # of rooms of the core
CORE_MAY_IMPORT = {"struct", "hashlib", "cryptolib", "micropython"}
WIPING = "firmware/kassa/crypto/wipe.py"
ASYNC = (
    "drivers/",
    "screens/",
    "flows/",
    "uplink/tls_channel.py",
    "uplink/connection_task.py",
    "card/tap.py",
    "terminal.py",
    "startup.py",
    "safe_mode.py",
    "journal_export.py",
    "status.py",
)
KASSA = files("firmware/kassa")


def ids(path: Path) -> str:
    return name(path)


def test_there_is_a_house() -> None:
    rooms = {path.name for path in (FIRMWARE / "kassa").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(FLOOR) - {"ground", "startup", "safe_mode", "terminal"} and len(KASSA) > 50


@pytest.mark.parametrize("path", KASSA, ids=ids)
def test_imports_go_down(path: Path) -> None:
    """Only to floors below, or within the room; the ground floor to itself alone; nobody to a driver."""
    here = room(module_of(path))
    for found in imports(path):
        if not found.module.startswith("kassa"):
            continue
        there = room(modules(found))
        assert FLOOR[there] < FLOOR[here] or there == here, f"{name(path)}:{found.line} imports {modules(found)}"
        assert there != "drivers" or here == "drivers", f"{name(path)}:{found.line} imports a driver"
        assert not found.what.startswith("_"), f"{name(path)}:{found.line} takes what is private"


def group(module: str) -> str:
    """The group of a file within its room: `kassa.flows.sale.card` -> `sale`."""
    parts = module.split(".")
    return parts[2] if len(parts) > 3 else ""


@pytest.mark.parametrize("path", [path for path in KASSA if room(module_of(path)) in INNER_FLOOR], ids=ids)
def test_imports_within_a_room_go_down(path: Path) -> None:
    """From one group of a room to groups below it; an import inside a function counts too."""
    here = module_of(path)
    floor = INNER_FLOOR[room(here)]
    for found in every_import(path):
        there = modules(found)
        if found.module.startswith("kassa") and room(there) == room(here) and group(there) != group(here):
            assert floor[group(there)] < floor[group(here)], f"{name(path)}:{found.line} imports {there}"


def test_the_groups_of_a_room_are_those_there_are() -> None:
    for one, floor in INNER_FLOOR.items():
        folders = {path.name for path in (FIRMWARE / "kassa" / one).iterdir() if path.is_dir()} - {"__pycache__"}
        assert folders == set(floor) - {""}


def test_drivers_are_imported_by_boards_alone() -> None:
    found = {
        name(path)
        for path in files("firmware", "boards")
        for each in imports(path)
        if modules(each).startswith("kassa.drivers")
    }
    outside = {path for path in found if not path.startswith("firmware/kassa/drivers/")}
    assert outside and all(path.startswith("boards/") and path.endswith("/board.py") for path in outside), outside


def core() -> list[Path]:
    """The functional core: everything that decides about money."""
    return [path for path in KASSA if room(module_of(path)) in CORE and not name(path).endswith(EDGES)]


@pytest.mark.parametrize("path", core(), ids=ids)
def test_the_core_needs_no_clock_no_radio_and_no_loop(path: Path) -> None:
    for found in imports(path):
        if found.module.startswith("kassa"):
            assert modules(found) not in ("kassa.status", "kassa.clock", "kassa.log"), f"{name(path)}:{found.line}"
            continue
        if name(path) == WIPING and found.module == "uctypes":
            continue  # the one place that looks into memory; absent where there is none to wipe
        assert found.module in CORE_MAY_IMPORT, f"{name(path)}:{found.line} imports {found.module}"
        assert found.module != "micropython" or found.what == "const", f"{name(path)}:{found.line}"
    text = path.read_text(encoding="utf-8")
    assert "@micropython" not in text and "async def" not in text and "await " not in text


@pytest.mark.parametrize("path", KASSA, ids=ids)
def test_asyncio_lives_at_the_edges(path: Path) -> None:
    inside = path.relative_to(FIRMWARE / "kassa").as_posix()
    if not inside.startswith(ASYNC):
        assert not any(found.module == "asyncio" for found in imports(path))
        assert "async def" not in path.read_text(encoding="utf-8")


def test_main_takes_the_board_and_runs() -> None:
    assert len((ROOT / "firmware/main.py").read_text(encoding="utf-8").splitlines()) < 70
    assert {found.module for found in imports(ROOT / "firmware/main.py")} <= {
        "asyncio",
        "board",
        "framebuf",
        "gc",
        "kassa.safe_mode",
        "kassa.terminal",
        "micropython",
        "sys",
        "time",
    }
