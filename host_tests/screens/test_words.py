# SPDX-License-Identifier: MIT
"""The screen texts: both languages are complete, every character can be drawn and printed, result names differ."""

import re
import runpy
from collections import Counter

import pytest

from tools.fonts import asset, gbk
from tools.fonts.build import SCREENS, SMALL, level_1, table
from tools.host.wire import kinds
from tools.world.power import FIRMWARE

NARROW, WIDE, TITLE = 0, 1, 2
LANGUAGES = ("en", "zh")
RESULTS = (
    "approved", "accepted", "declined", "cancelled", "not_taken", "reversing", "reversed", "refused_later",
    "unresolved", "expired", "quarantined",
)  # fmt: skip


def in_text_faces(faces: list[asset.Face], char: str) -> bool:
    return ord(char) in faces[NARROW if ord(char) < 0x100 else WIDE].glyphs


def test_both_languages_have_the_same_keys() -> None:
    assert list(table("en")) == list(table("zh"))


@pytest.mark.parametrize("names", [("{}", "setup_{}", "receipt_{}"), ("answers_{}",), ("causes_{}",)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_stands_once(language: str, names: tuple[str, ...]) -> None:
    """The firmware takes the first of two, so that the second would never be seen."""
    tables = [runpy.run_path(str(SCREENS / "texts" / f"{name.format(language)}.py"))["TABLE"] for name in names]
    keys = [line.split("=", 1)[0] for table in tables for line in table.splitlines() if line]
    assert keys and not [key for key, count in Counter(keys).items() if count > 1]


def test_both_languages_have_the_same_placeholders() -> None:
    pattern = re.compile(r"%[sd]")
    for key, text in table("en").items():
        assert pattern.findall(text) == pattern.findall(table("zh")[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_character_can_be_drawn_and_printed(language: str) -> None:
    faces = asset.load()
    for key, text in table(language).items():
        for char in text:
            assert in_text_faces(faces, char), (key, char)
            assert key.startswith(SMALL) or ord(char) in faces[TITLE].glyphs, (key, char)
            if key.startswith("r_") and char > "\x7f":
                assert gbk.code(char), (key, char)


@pytest.mark.parametrize("language", LANGUAGES)
def test_result_names_are_distinct(language: str) -> None:
    words = [table(language)[key] for key in RESULTS]
    assert len(set(words)) == len(words)
    approved, accepted = table(language)["approved"], table(language)["accepted"]
    assert approved not in accepted
    assert table(language)["r_approved"] not in table(language)["r_offline"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_text_fits_one_row(language: str) -> None:
    """At most 40 columns; a hanzi takes two. Placeholders are filled with short values."""
    for key, text in table(language).items():
        if key.startswith("r_"):
            continue
        shown = text.replace("%s", "¥1,000.00").replace("%d", "12")
        assert sum(1 if char < "\u2000" else 2 for char in shown) <= 40, (key, shown)


# Table C4 of the dialect. 00 and the other approvals show no code; 94 and 95 never reach a cashier as a refusal.
CODES = """01 02 03 04 05 06 07 09 10 12 13 14 15 19 22 25 30 34 35 36 37 38 40 41 43 51 54 55 57 58 59 61 62 64 65 68 75 77 90
91 92 94 96 97 98 99 A0 A7"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_code_has_a_text(language: str) -> None:
    codes = {key[5:] for key in table(language) if key.startswith("de39_")} - {"other", "code"}
    assert codes == set(CODES.split())


def test_every_text_key_used_by_the_firmware_exists() -> None:
    known, named = table("en"), set()
    for file in FIRMWARE.rglob("*.py"):
        source = file.read_text("utf-8")
        named |= set(re.findall(r"""\bt\("([a-z0-9_]+)"[,)]""", source))
        named |= set(re.findall(r"=((?:key)_[a-z_]+)", source)) - {"key_choose", "key"}
        named |= set(re.findall(r"""Refused\("([a-z0-9_]+)\"""", source))
    named |= {f"r_{kind.lower()}" for kind in kinds.RECORDS}
    assert len(named) > 50
    assert named <= set(known), sorted(named - set(known))


def test_the_font_asset_has_its_documented_layout() -> None:
    narrow, wide, title, amount, icons = asset.load()
    assert [(f.width, f.height, f.bits) for f in (narrow, wide, title, amount, icons)] == [
        (16, 16, 2), (16, 16, 1), (24, 24, 2), (24, 40, 2), (48, 48, 2),
    ]  # fmt: skip
    assert wide.glyphs[ord("一")].rows[7] == bytes((*(15 * [1]), 0))
    assert sorted(map(chr, [*narrow.glyphs, *wide.glyphs])) == sorted(asset.characters())
    assert set(level_1()) <= asset.characters() and len(set(level_1())) == 3755
    assert asset.PATH.stat().st_size <= 224 * 1024
    assert all(glyph.value % 8 == 0 for glyph in amount.glyphs.values())


def test_small_type_is_proportional_and_its_digits_align() -> None:
    narrow = asset.load()[NARROW].glyphs
    assert {narrow[ord(digit)].value for digit in "0123456789¥"} == {8}
    assert narrow[ord("i")].value < narrow[ord("n")].value < narrow[ord("W")].value
    assert min(glyph.value for glyph in narrow.values()) >= 4  # the screen reader compares four columns first


def test_no_two_characters_of_a_size_look_alike() -> None:
    """Not even if one is moved sideways: what a person or the screen reader cannot tell apart is not one of two letters."""
    narrow, wide, title, *_ = asset.load()
    for faces in ((narrow, wide), (title,)):
        seen: dict[tuple[bytes, ...], str] = {}
        for glyph in [glyph for face in faces for glyph in face.glyphs.values()]:
            columns = list(zip(*glyph.rows, strict=True))
            inked = [place for place, column in enumerate(columns) if any(column)] or [0]
            shape = tuple(map(bytes, columns[inked[0] : inked[-1] + 1]))
            assert shape not in seen, (seen.get(shape), glyph.name)
            seen[shape] = glyph.name
            assert (
                glyph.value - inked[0] >= 2 or glyph.name == " "
            )  # the screen reader compares two columns of ink first


def test_each_colour_agrees_with_its_comment() -> None:
    colours = re.findall(
        r"= const\(0x([0-9A-F]{4})\)  # ([0-9A-F]{6})", (FIRMWARE / "kassa/screens/theme.py").read_text()
    )
    assert len(colours) > 15
    for value, rgb in colours:
        red, green, blue = bytes.fromhex(rgb)
        pixel = (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3
        assert bytes.fromhex(value) == pixel.to_bytes(2, "little"), rgb


def test_the_font_asset_has_a_licence_and_no_reserved_font_name() -> None:
    text = (FIRMWARE / "kassa" / "screens" / "FONT-LICENSE.txt").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in text
    assert b"Source" not in asset.PATH.read_bytes()
