# SPDX-License-Identifier: MIT
"""The label for a terminal's case: a PNG with a QR Code, drawn with the terminal's own font. It holds no secret."""

from pathlib import Path

from PIL import Image
from qrcodegen import QrCode, QrSegment

from tools.fonts import asset
from tools.provision.device import Terminal

_DOT = 6  # pixels of a QR module; a printer with 300 dpi makes 0.5 mm of them
_QUIET = 4  # modules around the code (ISO/IEC 18004, 9.1)
_MASK = 4  # the same as on the terminal's screen; readers accept any
_ZOOM = 3  # of the font's pixels
_LINE = 18  # font pixels
_WIDTH = 60  # columns of half a character
_UNKNOWN = ord("?")


def text(terminal: Terminal, mac: str, check_value: str) -> str:
    """What the QR Code says, one `name value` a line."""
    return "\n".join(
        (
            "KASSA 1",
            f"TID {terminal.terminal_id}",
            f"MID {terminal.merchant_id}",
            f"MAC {_mac(mac)}",
            f"KCV {check_value}",
        )
    )


def save(folder: Path, terminal: Terminal, mac: str, check_value: str) -> Path:
    """Draw the label and write it as `folder`/TERMINALID.png. `mac`: 12 hex digits. `check_value`: of the initial key."""
    data = QrSegment.make_bytes(text(terminal, mac, check_value).encode())
    code = QrCode.encode_segments([data], QrCode.Ecc.MEDIUM, mask=_MASK, boostecl=False)
    modules = range(code.get_size())
    lines = [
        f"Kassa {terminal.terminal_id}",
        terminal.merchant_name,
        f"MID {terminal.merchant_id}",
        f"MAC {_mac(mac)}",
        f"KCV {check_value}",
    ]
    side = (len(modules) + 2 * _QUIET) * _DOT
    height = max(side, (len(lines) * _LINE + 2 * _QUIET) * _ZOOM)
    image = Image.new("1", (side + _WIDTH * 8 * _ZOOM // 2, height), 1)
    for row in modules:
        for column in modules:
            if code.get_module(column, row):
                image.paste(0, _square((column + _QUIET) * _DOT, (row + _QUIET) * _DOT, _DOT))
    faces = asset.load()
    for number, line in enumerate(lines):
        _write(image, faces, side, (number * _LINE + 2 * _QUIET) * _ZOOM, line)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{terminal.terminal_id}.png"
    image.save(path, dpi=(300, 300))
    return path


def _write(image: Image.Image, faces: list[asset.Face], x: int, y: int, line: str) -> None:
    """One line of text in the two text faces, each pixel enlarged; a character that both lack becomes a question mark."""
    for char in line:
        code = ord(char) if any(ord(char) in face.glyphs for face in faces[:2]) else _UNKNOWN
        face = next(face for face in faces[:2] if code in face.glyphs)
        for row, pixels in enumerate(face.glyphs[code].rows):
            for column, ink in enumerate(pixels):
                if ink:
                    image.paste(0, _square(x + column * _ZOOM, y + row * _ZOOM, _ZOOM))
        x += face.glyphs[code].value * _ZOOM


def _square(x: int, y: int, side: int) -> tuple[int, int, int, int]:
    return x, y, x + side, y + side


def _mac(mac: str) -> str:
    return ":".join(mac[at : at + 2] for at in range(0, len(mac), 2)).upper()
