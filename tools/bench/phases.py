# SPDX-License-Identifier: MIT
"""The live heap in each phase of the terminal's work, and the largest free block then; written into docs/performance.md.

The day is played in the smallest heap that `make heap` allows, with a watcher in the terminal (inside/heap_watch.py)
whose own memory is added to that heap and subtracted from the figures.
"""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.bench import page, romfs
from tools.bench.inside import HERE
from tools.demo.day import TERMINAL, Day
from tools.whole_system import WholeSystem
from tools.world.power import FIRMWARE

BEGIN = "<!-- phases: written by `make heap` -->"
END = "<!-- end of phases -->"
_WATCHER_KIB = 5
# Name, the cashier's phase, the connection's phase; "" = any. As in firmware/kassa/overlay.py; "-" = no connection.
_ROWS = (
    ("boot", "boot", ""),
    ("idle, no connection", "idle", "-"),
    ("idle, connection kept open", "idle", "idle"),
    ("TLS handshake while idle", "idle", "connecting"),
    ("drain over TLS while idle", "idle", "connected"),
    ("flows and menus", "flow", ""),
    ("tap", "tap", ""),
    ("proof of a card", "proof", ""),
    ("settlement", "closing", ""),
    ("receipt", "receipt", ""),
)
_LINE = re.compile(r"HEAP (\S+) (\S+) (\d+) (\d+)\n.*?max free sz: (\d+)\nqstr pool: n_pool=\d+, n_qstr=(\d+)", re.S)
_BLOCK = 16  # bytes of an allocation unit on 32 bits
NAMES = 2540  # names (interned strings) that MicroPython's tables have room for; one more doubles the last by 18 KB

Look = tuple[str, str, int, int, int]  # phase, connection, live bytes, largest free block in bytes, names


def measure(micropython: Path, board_kib: int, budget_kib: int) -> list[Look]:
    """Play the day, and return what the watcher saw. Raises WorldError if the terminal fails."""
    with tempfile.TemporaryDirectory(prefix="kassa-phases-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        (tree / "heap_watch.py").write_text((HERE / "heap_watch.py").read_text())
        (tree / "main.py").write_text("import heap_watch\n" + (FIRMWARE / "main.py").read_text())
        image = romfs.build(Path(folder) / "image.romfs", tree)
        heap = f"{board_kib + budget_kib + _WATCHER_KIB}k"
        home = Path(folder) / "home"
        with WholeSystem(home, micropython=str(micropython), terminal=TERMINAL, heap=heap, source=image) as system:
            for scene in Day(system).scenes():
                scene()
            return looks(system.world.console)


def looks(console: str) -> list[Look]:
    """What the watcher printed, its own memory subtracted."""
    return [
        (phase, link, int(live) - int(own), int(free) * _BLOCK, int(names))
        for phase, link, live, own, free, names in _LINE.findall(console)
    ]


def table(seen: Iterable[Look], board_bytes: int) -> list[str]:
    """The rows of the page: the most live heap of each phase above the board's own, and the free block then."""
    seen = list(seen)
    lines = ["| phase | live heap, KiB | largest free block, KiB |", "|---|---|---|"]
    for name, phase, link in _ROWS:
        found = [look for look in seen if look[0] == phase and link in ("", look[1])]
        if found:
            _, _, live, free, _ = max(found, key=lambda look: look[2])
            lines.append(f"| {name} | {(live - board_bytes) / 1024:.1f} | {free / 1024:.1f} |")
    names = max(look[4] for look in seen)
    return [*lines, "", f"Names (interned strings) at the end of the day: {names:,} of {NAMES:,}."]


def write(lines: list[str], path: Path = page.PAGE) -> None:
    """Replace the table in the page."""
    before, rest = path.read_text().split(BEGIN)
    path.write_text("\n".join([before + BEGIN, *lines, END]) + rest.split(END)[1])
