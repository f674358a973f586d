# SPDX-License-Identifier: MIT
"""Names in the compiled firmware: those that nothing else knows are short and shared, and nothing that runs is changed."""

import ast
import tokenize
from pathlib import Path

import pytest

from tools.image.public_names import public_names
from tools.image.short_names import ShortNames
from tools.world.power import BOARD, FIRMWARE

SOURCES = [*FIRMWARE.rglob("*.py"), *BOARD.glob("*.py")]

SHAPES = '''
"""Two classes, one of which extends the other."""
_LIMIT = 3


class Shape:
    def __init__(self, width: int, label: str = "¥") -> None:
        self._width = width
        self._label = label

    def _grown(self, by: int) -> int:
        return self._width + by

    def told(self, words: str, *, loud: bool = False) -> str:
        text = "“%s”" % words; return (text + self._label).upper() if loud else text


def outer(first: int, second: int) -> int:
    def inner(third: int) -> int:
        return first * 100 + second * 10 + third

    return inner(_LIMIT) + sum([first for first in (1, 2)])
'''
MORE = """
from shapes import Shape, outer


class _Square(Shape):
    def __init__(self, width: int) -> None:
        super().__init__(width, label="$")
        self._area = width * width

    def all(self, by: int) -> tuple:
        return self._area, self._grown(by), self._label, self.told("hey", loud=True), outer(4, 5)


def result() -> tuple:
    return _Square(7).all(2)
"""


def written(folder: Path, **texts: str) -> None:
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def ran(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple:
    space: dict = {}
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.delitem(__import__("sys").modules, "shapes", raising=False)
        exec(compile((folder / "more.py").read_text("utf-8"), "more", "exec"), space)  # noqa: S102
        return space["result"]()


def test_what_runs_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "long", shapes=SHAPES, more=MORE)
    names = ShortNames([SHAPES, MORE])
    short = [names.apply(SHAPES), names.apply(MORE)]
    written(tmp_path / "short", shapes=short[0], more=short[1])
    assert ran(tmp_path / "long", monkeypatch) == ran(tmp_path / "short", monkeypatch) == (49, 9, "$", "“HEY”$", 456)
    assert not [name for name in ("_width", "_grown", "_area", "_Square", "_LIMIT") if name in "".join(short)]
    assert "label" in short[0] and "words" not in short[0]  # one is passed by keyword, the other is not
    assert [text.count("\n") for text in short] == [SHAPES.count("\n"), MORE.count("\n")]


def test_a_name_that_a_tool_uses_on_the_chip_stays() -> None:
    guest = "import more\nprint(more._Square(1)._area, more.result(by=2))\n"
    short = ShortNames([SHAPES, MORE], [guest]).apply(MORE)
    assert "_Square" in short and "_area" in short and "by" in short


def test_names_that_are_not_ours_stay() -> None:
    text = "import asyncio\nimport _thread\n\n\ndef _watch(core):\n    core._io_queue = _thread\n    return core._task_queue\n"
    short = ShortNames([text]).apply(text)
    assert "_io_queue" in short and "_task_queue" in short and "import _thread" in short and "_watch" not in short


def test_the_firmware_shares_its_private_names() -> None:
    texts = [path.read_text("utf-8") for path in SOURCES]
    public = public_names({str(path): ast.parse(text) for path, text in zip(SOURCES, texts, strict=True)}, [])
    names = ShortNames(texts, [], public)
    assert len(public) > 500 and len(names.short) > 1000 and len(set(names.short.values())) < 200
    for path in SOURCES:
        with path.open("rb") as file:
            used = {token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.NAME}
        assert len({names.short.get(name, name) for name in used}) == len(used), path


def test_a_public_name_that_something_else_may_know_stays() -> None:
    text = '''
"""Of widths and their lengths, said in a docstring."""
LENGTHS = {"hidden": 1}


class Trouble(Exception):
    def widths(self) -> "Trouble":
        """The spoken."""
        return self


def hidden(spoken: int, named: int) -> None:
    """Drawn."""


def drawn() -> None:
    hidden(1, named=2)


def close() -> None:
    drawn()


def reset() -> None:
    close()
'''
    found = public_names({"kassa.flows.drawn": ast.parse(text)}, [ast.parse("machine.reset()")])
    assert found == {
        "LENGTHS",
        "widths",
    }  # not: in a string, of a module, of a file, of the board, an error, by keyword


def test_parameters_do_not_hide_a_function_that_has_a_short_name() -> None:
    text = "def outer(first, second):\n    return other(first) + second\n\n\ndef other(third):\n    return third * 10\n"
    space: dict = {}
    exec(ShortNames([text], [], {"other", "outer"}).apply(text), space)  # noqa: S102
    assert "outer" not in space and "other" not in space
    functions = [value for name, value in space.items() if callable(value) and value.__code__.co_argcount == 2]
    assert [function(4, 2) for function in functions] == [42]
