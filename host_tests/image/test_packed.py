# SPDX-License-Identifier: MIT
"""The pack of modules, read by MicroPython itself: imports, packages, a module that is missing, a file beside the pack."""

import os
import subprocess
from pathlib import Path

import pytest

from tools.hardware.catalogue import ROOT
from tools.image import packing
from tools.world import interpreter

TRY = """
import sys
sys.path.insert(0, {official!r})
import packed
packed.FILE = {pack!r}
try:
    packed.mount()
except ValueError as error:
    print(error)
    sys.exit()
import kassa.room.first
from kassa.room import second
import top
print(kassa.room.first.WHAT, second.LONG == "x" * 5000, top.WHAT, kassa.room.first.__file__)
try:
    import kassa.room.third
except ImportError as error:
    print(error)
print(open("/pack" + {beside!r}).read())
"""


def run(folder: Path) -> list[str]:
    script = TRY.format(
        official=str(ROOT / "boards" / "official"), pack=str(folder / packing.NAME), beside=str(folder / "font.bin")
    )
    (folder / "try.py").write_text(script)
    done = subprocess.run(
        [interpreter.micropython(), folder / "try.py"], capture_output=True, text=True, timeout=60, env=dict(os.environ)
    )
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for name, text in {
        "kassa/__init__.py": "",
        "kassa/room/__init__.py": "",
        "kassa/room/first.py": "from kassa.room import second\nWHAT = len(second.LONG)\n",
        "kassa/room/second.py": f"LONG = '{'x' * 5000}'\n",
        "top.py": "WHAT = 'top'\n",
    }.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    packed = packing.pack(tree, tree.rglob("*.py"))
    assert packing.unpack(packed)["top.py"] == b"WHAT = 'top'\n" and len(packing.unpack(packed)) == 5
    (tmp_path / packing.NAME).write_bytes(packed)
    (tmp_path / "font.bin").write_text("beside")
    return tmp_path


def test_modules_are_imported_from_the_pack(folder: Path) -> None:
    assert run(folder) == ["5000 True top /pack/kassa/room/first.py", "no module named 'kassa.room.third'", "beside"]


def test_another_file_is_no_pack(folder: Path) -> None:
    (folder / packing.NAME).write_bytes(b"KPAQ" + bytes(100))
    assert run(folder) == ["not a pack of modules"]
