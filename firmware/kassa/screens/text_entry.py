# SPDX-License-Identifier: MIT
"""The page that asks for text: two digits a character. The first opens one of ten groups, the second takes a character.

Groups and characters lie on the screen as the digits lie on the keypad. Every printable ASCII character is there. The text
is never a str: only single characters are drawn.
"""

from micropython import const

from kassa.crypto.wipe import zero
from kassa.screens import font, theme
from kassa.screens.canvas import CENTRE, RIGHT, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.screens.screen import Screen

# Ten characters for each digit from 0 to 9: the one for digit d of group g is at 10 * g + d. 0x7F: none.
CHARACTERS = (
    b"`{|}~\x7f\x7f\x7f\x7f\x7f"
    b"jabcdefghi"
    b"tklmnopqrs"
    b"@uvwxyz.-_"
    b"JABCDEFGHI"
    b"TKLMNOPQRS"
    b"#UVWXYZ !?"
    b"0123456789"
    b",\"$%&'()*+"
    b"^/:;<=>[\\]"
)
_NONE = const(0x7F)
_TITLE_Y = const(32)
_FIELD_Y = const(60)
_FIELD_HEIGHT = const(40)
_TOP = const(104)  # of the groups
_PITCH = const(28)
_ACROSS = const(104)
_LEFT = const(8)
_SHOWN_MS = const(1500)  # how long the character typed last is shown
_LOOK_MS = const(10000)
_IDLE_MS = const(120000)
_KEYS = "E=key_ok C=key_back B=key_clear M=key_look"
_WANTED = "0123456789EBCM"


async def run(screen: "Screen", title: str, least: int, into: bytearray, count: int = 0, secret: bool = True) -> int:
    """Fill `into` with at least `least` characters; `count` are there already. A secret is shown as dots.

    Returns the number of characters; -1, with `into` zeroed, when cancelled or after two minutes without a key.
    """
    group, fresh, note = -1, False, ""
    per_row = 32 if secret else 16  # the dots of a secret are 8 pixels apart
    await screen.begin(_KEYS if secret else _KEYS.rpartition(" ")[0])
    await _field(screen, into, count, secret)
    await _groups(screen, group)
    while True:
        await _head(screen, title, note, "%d/%d" % (count, len(into)))
        key = await screen.key(_WANTED, _SHOWN_MS if fresh else _IDLE_MS)
        if fresh:  # hide the last one
            fresh = False
            await _cell(screen, per_row, count - 1, into[count - 1], True)
        elif not key:
            key = ord("C")
        if not key:
            continue
        note = ""
        if key == ord("C"):
            zero(into)
            return -1
        if key == ord("E"):
            if count >= least:
                return count
            note = screen.t("text_short", least)
        elif key == ord("M"):
            if secret:
                await _look(screen, into, count)
                await _groups(screen, group)
        elif key == ord("B"):
            if group >= 0:
                group = -1
                await _groups(screen, group)
            elif count:
                count -= 1
                into[count] = 0
                await _cell(screen, per_row, count, 0, False)
        elif group < 0:
            group = key - ord("0")
            await _groups(screen, group)
        else:
            character = CHARACTERS[10 * group + key - ord("0")]
            if character != _NONE and count < len(into):
                into[count] = character
                await _cell(screen, per_row, count, character, False)
                count += 1
                fresh = secret
                group = -1
                await _groups(screen, group)


async def _head(screen: "Screen", title: str, note: str, size: str) -> None:
    """Draw the title, or what is wrong in its place; and how much of the room is used."""
    canvas = screen.canvas
    if note:
        await canvas.fill(16, _TITLE_Y, 216, 28, theme.PAPER)
        await canvas.text(16, _TITLE_Y + 8, 216, theme.WARNING + note, theme.RED)
    else:
        await canvas.text(16, _TITLE_Y, 216, title, face=font.TITLE)
    await canvas.text(232, _TITLE_Y + 8, 72, size, theme.QUIET, align=RIGHT)


async def _field(screen: "Screen", into: bytearray, count: int, secret: bool) -> None:
    await screen.canvas.box(8, _FIELD_Y, WIDTH - 16, _FIELD_HEIGHT, theme.CARD, theme.PAPER)
    await screen.canvas.fill(8, _FIELD_Y + _FIELD_HEIGHT - 3, WIDTH - 16, 3, theme.ACCENT)
    for place in range(count):
        await _cell(screen, 32 if secret else 16, place, into[place], secret)


async def _cell(screen: "Screen", per_row: int, place: int, character: int, hidden: bool) -> None:
    """Draw one place of the field: a character, a dot for a hidden one, nothing for 0."""
    x, y = 16 + place % per_row * (288 // per_row & ~7), _FIELD_Y + 4 + place // per_row * 16
    text = "" if hidden or not character else chr(character)
    await screen.canvas.text(x, y, 16, text, theme.INK, theme.CARD)
    if hidden:
        await screen.canvas.fill(x + 1, y + 6, 5, 5, theme.INK)


async def _groups(screen: "Screen", group: int) -> None:
    """Draw the ten groups, or with `group` from 0 on its ten characters in large type."""
    await screen.canvas.fill(0, _TOP, WIDTH, 4 * _PITCH, theme.PAPER)
    for digit in range(10):
        row, column = (3, 1) if not digit else ((digit - 1) // 3, (digit - 1) % 3)
        x, y = _LEFT + column * _ACROSS, _TOP + row * _PITCH
        if group < 0:
            text, face = _group(digit), font.TEXT
        else:
            text, face = " " + _shown(CHARACTERS[10 * group + digit]), font.TITLE
        if text == " ":
            continue
        await screen.canvas.box(x, y + 3, 16, 18, theme.SLATE, theme.PAPER)
        await screen.canvas.text(x, y + 4, 16, str(digit), theme.DAY, theme.SLATE, CENTRE)
        await screen.canvas.text(x + 16, y if face else y + 4, 88, text, theme.INK, face=face)


def _group(digit: int) -> str:
    """The characters of a group, as their digits are counted: 1 to 9, then 0. Of letters only the first and the last."""
    text = "".join([_shown(CHARACTERS[10 * digit + (place + 1) % 10]) for place in range(10)])
    letters = len([character for character in text if character.isalpha()])
    return "%s-%s  %s" % (text[0], text[letters - 1], text[letters:]) if letters else text


def _shown(character: int) -> str:
    """How a character is shown among others."""
    return "" if character == _NONE else "␣" if character == 0x20 else chr(character)


async def _look(screen: "Screen", into: bytearray, count: int) -> None:
    """Show the secret in place of the groups, one character a cell, until the next key."""
    canvas = screen.canvas
    await canvas.fill(0, _TOP, WIDTH, 4 * _PITCH, theme.PAPER)
    for place in range(count):
        x, y = 32 + place % 16 * 16, _TOP + place // 16 * _PITCH + 4
        await canvas.text(x, y, 16, _shown(into[place]), theme.INK, face=font.TEXT)
    await screen.key("0123456789EBCUDM", _LOOK_MS)
