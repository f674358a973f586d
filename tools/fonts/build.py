# SPDX-License-Identifier: MIT
"""Builds the terminal's one font asset, firmware/kassa/screens/font.bin, from OFL fonts on npm.

    python -m tools.fonts.build            downloads the packages with `npm pack` into a temporary folder
    python -m tools.fonts.build FOLDER     uses the .tgz files of an earlier `npm pack` in FOLDER

All numbers are little-endian:

    0   4   "KFNT"
    4   1   version = 3
    5   1   number of faces = 5
    6   2   0
    8   16  per face: width u8, height u8, bits per pixel u8, 0 u8, count u16, glyph size u16, index u32, glyphs u32

`index` points to `count` sorted code points (u16); in the two-bit faces as many advances in pixels (u8) follow. In face
1, to save space, it points to 257 positions (u16), where the code points with each high byte begin, and the end; then
the low bytes of all code points (u8) follow. `glyphs` points to `count` cells of `glyph size` bytes, row by row from
the top. One bit per pixel: MSB first (framebuf.MONO_HLSB). Two bits per pixel: the leftmost pixel in the low bits
(framebuf.GS2_HMSB), 0 = paper ... 3 = ink.

    face 0  16x16  two bits  Noto Sans SC Medium 14.5 px: ASCII and Latin 1, the text. Digits are equally wide
    face 1  16x16  one bit   Unifont: hanzi (all of GB 2312 level 1), punctuation, symbols; from U+E100: the bar's marks
    face 2  24x24  two bits  Noto Sans SC Medium 21 px: titles and menus
    face 3  24x40  two bits  Noto Sans SC Medium 42 px: the digits of an amount
    face 4  48x48  two bits  drawn here, from U+E000: the sign of a result
"""

import io
import runpy
import struct
import subprocess
import sys
import tarfile
import tempfile
from bisect import bisect_left
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from tools.fonts import asset, icons

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "firmware" / "kassa" / "screens"
UNIFONT = "@fontsource/unifont@5.3.0"
NOTO = "@fontsource/noto-sans-sc@5.3.0"
ASCII = [chr(code) for code in range(0x20, 0x7F)]
WALLETS = "微信支付宝"
AMOUNT = "0123456789,.¥-$€ "
# Texts only shown in small type. Every other text may be a title, a menu line or the first line of a message.
SMALL = (
    "r_", "bar_", "key_", "about_", "test_", "held_", "cause_", "printer_", "net_", "near_", "check_", "par_", "sum_", "room_",
    "row_", "hint_",
)  # fmt: skip


def table(language: str) -> dict[str, str]:
    """The texts of one language, key -> text, from firmware/kassa/screens/texts; de39_00 is an answer code."""
    found = _lines(language) | _lines(f"receipt_{language}") | _lines(f"setup_{language}")
    for prefix, name in (("de39", "answers"), ("cause", "causes")):
        found |= {f"{prefix}_{key}": text for key, text in _lines(f"{name}_{language}").items()}
    return found


def _lines(name: str) -> dict[str, str]:
    text = runpy.run_path(str(SCREENS / "texts" / f"{name}.py"))["TABLE"]
    return dict(line.split("=", 1) for line in text.splitlines() if line)


def small_characters() -> list[str]:
    """The characters above ASCII that the text faces must show."""
    wanted = {"¥"} | set("".join(table("zh").values())) | set("".join(table("en").values()))
    wanted |= set((Path(__file__).parent / "shop.txt").read_text("utf-8")) | set(level_1())
    return sorted(c for c in wanted if ord(c) > 0x7F)


def level_1() -> str:
    """The 3755 hanzi in common use, GB 2312 level 1 (rows 16 to 55), so that a shop's name can be shown."""
    codes = [bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    return b"".join(codes[:3755]).decode("gb2312")


def title_characters() -> list[str]:
    """ASCII, every character of a text that may be a title, and those of wallets' names."""
    wanted = set(ASCII) | {"¥"} | set(WALLETS)
    for language in ("en", "zh"):
        for key, text in table(language).items():
            if not key.startswith(SMALL):
                wanted |= set(text)
    return sorted(wanted)


def fetch(package: str, folder: Path) -> tarfile.TarFile:
    """Open the npm package from `folder`; downloads it there first, with `npm pack`, if it is missing."""
    name = package.removeprefix("@").replace("/", "-").replace("@", "-") + ".tgz"
    if not (folder / name).exists():
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True)
    return tarfile.open(folder / name)


def face(package: tarfile.TarFile, *members: str) -> list[TTFont]:
    """The named woff2 files as plain fonts. A character is taken from the first font that has it."""
    fonts = []
    for member in members:
        data = package.extractfile(f"package/files/{member}.woff2")
        if data is None:
            raise SystemExit(f"the package has no {member}")
        font = TTFont(io.BytesIO(data.read()))
        font.flavor = None
        fonts.append(font)
    return fonts


def sized(font: TTFont, size: float) -> ImageFont.FreeTypeFont:
    plain = io.BytesIO()
    font.save(plain)
    return ImageFont.truetype(io.BytesIO(plain.getvalue()), size)


def mono(image: Image.Image) -> bytes:
    """One bit per pixel, MSB first."""
    return image.convert("1", dither=Image.Dither.NONE).tobytes()


def grey(image: Image.Image) -> bytes:
    """Two bits per pixel, the leftmost in the low bits, from an image with 0 = paper and 255 = ink."""
    levels = [(value * 3 + 127) // 255 for value in image.tobytes()]
    return bytes(
        levels[i] | levels[i + 1] << 2 | levels[i + 2] << 4 | levels[i + 3] << 6 for i in range(0, len(levels), 4)
    )


class Face:
    """One face under construction: cells by code point."""

    def __init__(self, width: int, height: int, bits: int, *, paged: bool = False) -> None:
        self.width, self.height, self.bits, self.paged = width, height, bits, paged
        self.cells: dict[int, tuple[int, bytes]] = {}

    def add(self, code: int, value: int, image: Image.Image) -> None:
        self.cells[code] = (value, mono(image) if self.bits == 1 else grey(image))

    def pack(self, at: int) -> tuple[bytes, bytes]:
        """(directory entry, data) of the face, for data that begins at `at`."""
        codes = sorted(self.cells)
        size = self.width * self.height * self.bits // 8
        index = _in_pages(codes) if self.paged else struct.pack(f"<{len(codes)}H", *codes)
        if self.bits == 2:
            index += bytes(self.cells[code][0] for code in codes)
        entry = struct.pack("<BBBBHHII", self.width, self.height, self.bits, 0, len(codes), size, at, at + len(index))
        return entry, index + b"".join(self.cells[code][1] for code in codes)


def _in_pages(codes: list[int]) -> bytes:
    firsts = [bisect_left(codes, high << 8) for high in range(257)]
    return struct.pack("<257H", *firsts) + bytes(code & 255 for code in codes)


def wide_face(unifont: TTFont) -> Face:
    """The text face of every character above Latin: Unifont's own pixels at 16 px."""
    wide = Face(16, 16, 1, paged=True)
    drawn, known = sized(unifont, 16), unifont.getBestCmap() or {}
    for char in small_characters():
        if char.isspace() or ord(char) < 0x100:
            continue
        if ord(char) not in known:
            raise SystemExit(f"Unifont has no U+{ord(char):04X}")
        image = Image.new("1", (16, 16))
        pen = ImageDraw.Draw(image)
        pen.fontmode = "1"
        pen.text(((16 - round(drawn.getlength(char))) // 2, 0), char, 255, font=drawn)
        wide.add(ord(char), 16, image)
    for code, image in icons.bar():
        wide.add(code, 16, image)
    return wide


def smooth_face(
    fonts: list[TTFont],
    size: float,
    cell: tuple[int, int],
    baseline: int,
    chars: list[str],
    step: int = 1,
    digit: int = 0,
) -> Face:
    """A two-bit face of `chars`, left-aligned in their cells on one baseline. Advances are multiples of `step`.

    `digit`: the advance of every digit, so that amounts below each other align; 0 = as the font has it.
    """
    made = Face(cell[0], cell[1], 2)
    drawn = [(sized(font, size), font.getBestCmap() or {}) for font in fonts]
    for char in chars:
        source = next((font for font, known in drawn if ord(char) in known), None)
        if source is None:
            raise SystemExit(f"no glyph for U+{ord(char):04X}")
        # No ink goes beyond its own advance, so that ocr.py can separate the glyphs of a run.
        first, last = (round(edge) for edge in source.getbbox(char, anchor="ls")[::2])
        natural = max(round(source.getlength(char)), last - min(first, 0))
        if digit and char.isdigit():
            natural = digit
        elif char == " ":
            natural = max(natural, round(size / 4))
        advance = min(cell[0], -(-natural // step) * step)
        image = Image.new("L", cell)
        left = max(-first, 0) + (advance - natural) // 2
        ImageDraw.Draw(image).text((left, baseline), char, 255, font=source, anchor="ls")
        made.add(ord(char), advance, image)
    return made


def build(folder: Path) -> bytes:
    """The whole asset."""
    unifont = face(fetch(UNIFONT, folder), "unifont-latin-400-normal")[0]
    noto = face(fetch(NOTO, folder), "noto-sans-sc-latin-500-normal", "noto-sans-sc-chinese-simplified-500-normal")
    latin = [char for char in small_characters() if ord(char) < 0x100]
    narrow = smooth_face(noto, 14.5, (16, 16), 13, [*ASCII, *latin], digit=8)
    title = smooth_face(noto, 21, (24, 24), 19, title_characters())
    amount = smooth_face(noto, 42, (24, 40), 35, list(AMOUNT), 8)
    signs = Face(48, 48, 2)
    for code, image in icons.signs():
        signs.add(code, 48, image)
    faces = [narrow, wide_face(unifont), title, amount, signs]
    head, body = struct.pack("<4sBBH", b"KFNT", 3, len(faces), 0), b""
    start = len(head) + 16 * len(faces)
    for one in faces:
        entry, data = one.pack(start + len(body))
        head, body = head + entry, body + data
        print(f"{one.width}x{one.height}: {len(one.cells)} glyphs, {len(data)} bytes")
    return head + body


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        data = build(folder)
    asset.PATH.write_bytes(data)
    shown = "".join(sorted(asset.characters() - {" "}))
    (ROOT / "tools" / "host" / "tables" / "characters.txt").write_text(shown + "\n", encoding="utf-8")
    print(f"font.bin: {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
