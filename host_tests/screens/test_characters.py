# SPDX-License-Identifier: MIT
"""The characters of a shop name: the printer has all of GBK, the screen all common hanzi; missing ones are reported."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.fonts import gbk
from tools.fonts.build import level_1
from tools.host.commands import publish
from tools.host.store.ledger import Ledger
from tools.host.tables import coverage
from tools.provision.device import Terminal, provision

CODES = """
import binascii, struct
from kassa.gbk import Table
table = Table()
for page in range(256):
    codes = [table.code(point) if point > 127 else 0 for point in range(page << 8, page + 1 << 8)]
    print("page", page, binascii.crc32(struct.pack("<256H", *codes)))
print("beyond", table.code(0x1F375))
"""

GLYPHS = """
from kassa.screens import font
made = font.Font()
lacking = font.Font.find(made, font.TEXT, 0x3F)
print("lacking", [char for char in "%s" if made.find(font.TEXT, ord(char)) == lacking])
print("none", made.find(font.TEXT, 0x9FFF) == made.find(font.TEXT, 0x1F375) == made.find(font.TEXT, 0xFFFF) == lacking)
"""


def test_the_terminal_has_the_code_of_every_gbk_character(run_script) -> None:
    """There are 21,792: all that Python's codec encodes in two bytes, and the yen sign."""
    world = run_script(CODES)
    world.wait_off(60)
    found = {line.split()[1]: int(line.split()[2]) for line in world.console.splitlines() if line.startswith("page")}
    count = 0
    for page in range(256):
        codes = [gbk.code(chr(point)) if point > 127 else 0 for point in range(page << 8, (page + 1) << 8)]
        count += sum(map(bool, codes))
        packed = b"".join(code.to_bytes(2, "little") for code in codes)
        assert found[str(page)] == zlib.crc32(packed), f"U+{page:02X}00"
    assert count == 21792
    assert "beyond 0" in world.console


def test_the_table_in_the_firmware_is_up_to_date() -> None:
    assert gbk.PATH.read_bytes() == gbk.build()
    assert gbk.code("é") == 0xA8A6 and gbk.code("¥") == 0xA3A4 and gbk.code("€") == 0


def test_the_screen_has_every_common_hanzi(run_script) -> None:
    world = run_script(GLYPHS % level_1())
    world.wait_off()
    assert "lacking []" in world.console and "none True" in world.console


@pytest.mark.parametrize("name", ["国贸张记鱼庄", "鑫淼烩面馆", "Café Zürich"])
def test_characters_missing_from_the_screen_are_reported(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = [char for char in name if char in "鑫淼éü"]
    messages = coverage.missing(name)
    assert all(char in " ".join(messages) for char in screen) and len(messages) == bool(screen), messages
    provision(tmp_path / "terminal", tmp_path / "pki", Terminal(merchant_name=name))
    (tmp_path / "names.json").write_text(json.dumps({"merchant_name": name}))
    Ledger(tmp_path / "host.db").close()
    published = CliRunner().invoke(publish.main, ["--home", str(tmp_path), "parameters", str(tmp_path / "names.json")])
    assert published.exit_code == 0 and "version 1" in published.output
    for shown in (capsys.readouterr().err, published.output):
        for char in name:
            assert (f"{char} (U+{ord(char):04X})" in shown) == (char in screen), shown


def test_characters_missing_from_the_printer_are_reported() -> None:
    assert coverage.missing("茶\U0001f375") == [
        "the screen has no \U0001f375 (U+1F375)",
        "the printer has no \U0001f375 (U+1F375)",
    ]
    assert coverage.missing("a\tb") == ["the screen has no U+0009", "the printer has no U+0009"]
    assert coverage.missing("Joe's ¥ 茶馆（北京）") == []
