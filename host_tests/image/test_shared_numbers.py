# SPDX-License-Identifier: MIT
"""Numbers in the compiled firmware: they stand where they are used, and nothing that runs is changed."""

import sys
from pathlib import Path

import pytest

from tools.image import shortening
from tools.image.shared_numbers import SharedNumbers
from tools.world.power import FIRMWARE

SIZES = """
from micropython import const

ROW, LOST = const(16), 0
HEAD = const(4)
BODY = const(HEAD << 3 | 1)
BELOW = const(-BODY)
ASKED = const(7)
SHOWN = const(8)
"""
PLACES = """
from micropython import const

import sizes
from sizes import (
    BELOW,
    BODY as BYTES,
    HEAD,
    LOST,
)
from sizes import ASKED

HALF = const(BYTES // 2)
FAR = const(HALF + 1)


def result(other: object) -> tuple:
    from sizes import HEAD, ASKED as asked  # a line more

    return HEAD, BYTES, 2 * BELOW, LOST, asked, other.SHOWN, _own(9), HALF


def _own(ASKED: int) -> str:
    return "¥%d" % ASKED + str(ASKED) if ASKED == 9 else ""
"""
USER = """
import package
from package import places
from package.places import FAR


def result() -> tuple:
    return places.HALF, FAR, places.result(package)
"""


def ran(folder: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str]) -> tuple:
    (folder / "package").mkdir(parents=True)
    (folder / "micropython.py").write_text("def const(value):\n    return value\n")
    (folder / "sizes.py").write_text(texts[0], encoding="utf-8")
    (folder / "package/places.py").write_text(texts[1], encoding="utf-8")
    (folder / "package/__init__.py").write_text("SHOWN = 1\n")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(folder))
        for name in ("micropython", "sizes", "package", "package.places"):
            patch.delitem(sys.modules, name, raising=False)
        space: dict = {}
        exec(compile(texts[2], "user", "exec"), space)  # noqa: S102
        return space["result"]()


def folded(*guests: str) -> list[str]:
    modules = {"sizes": SIZES, "package.places": PLACES}
    numbers = SharedNumbers(modules, guests)
    return [*(numbers.apply(text, module) for module, text in modules.items()), numbers.apply(USER)]


def test_what_runs_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = folded()
    expected = 16, 17, (4, 33, -66, 0, 7, 1, "¥99", 16)
    assert (
        ran(tmp_path / "a", monkeypatch, [SIZES, PLACES, USER]) == ran(tmp_path / "b", monkeypatch, texts) == expected
    )
    assert [text.count("\n") for text in texts] == [text.count("\n") for text in (SIZES, PLACES, USER)]


def test_numbers_stand_in_place_of_their_names() -> None:
    sizes, places, user = folded()
    assert "BODY" not in sizes and "BELOW" not in sizes
    assert "2 * (-33)" in places and "BYTES" not in places and "_own(9), 16\n" in places
    assert "return 16, 17, places.result(package)" in user and "from package.places" not in user


def test_what_may_be_asked_for_at_run_time_keeps_its_name() -> None:
    sizes, places, _ = folded("import sizes\nprint(sizes.HEAD)\n")
    assert "\nHEAD = const(4)" in sizes  # a tool's script on the chip uses it
    assert "\nSHOWN = const(8)" in sizes  # an attribute of who knows what
    assert "ROW, LOST = const(16), 0" in sizes and "import LOST" in places  # not defined alone


def test_a_name_that_a_file_gives_to_something_else_stays() -> None:
    sizes, places, _ = folded()
    assert "\nASKED = const(7)" in sizes and "def _own(ASKED: int)" in places and "from sizes import ASKED" in places


def test_the_firmware_keeps_few_names_of_numbers() -> None:
    modules = {shortening.module_name(path): path.read_text("utf-8") for path in FIRMWARE.rglob("*.py")}
    numbers = SharedNumbers(modules)
    public = {(module, name) for module, name in numbers.numbers if name[0] != "_"}
    assert len(numbers.hidden) > 150 and len(public - numbers.hidden) < 20, public - numbers.hidden
