# SPDX-License-Identifier: MIT
"""The album: one HTML page with every screen in both languages side by side, by play."""

import html
from itertools import groupby
from pathlib import Path

from tools.scenes.picture import Picture
from tools.scenes.run import save
from tools.scenes.stage import LANGUAGES

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 1400px; color: #1d2733; background: #f4f6f8 }
h1 { font-size: 1.6rem } h2 { margin: 2.5rem 0 .5rem; border-bottom: 2px solid #c5ccd4 } h3 { margin: 1.5rem 0 .5rem }
.screens { display: flex; flex-wrap: wrap; gap: 1.5rem }
figure { margin: 0 } figure img { display: inline-block; width: 320px; height: 240px; image-rendering: pixelated;
border: 1px solid #8894a0; border-radius: 4px } figcaption { color: #55606c; font-family: ui-monospace, monospace }
"""


def write(folder: Path, played: dict[str, dict[str, list[Picture]]]) -> None:
    """Write index.html and LANGUAGE/NAME.png. `played`: theme -> language -> pictures."""
    parts = []
    for theme, by_language in played.items():
        for language in LANGUAGES:
            save(folder / language, by_language[language])
        parts.append(f"<h2>{html.escape(theme.replace('_', ' '))}</h2>")
        for title, pictures in groupby(by_language["en"], key=lambda picture: picture.play):
            parts.append(f"<h3>{html.escape(title)}</h3>\n<div class=screens>")
            parts += [_figure(picture.name) for picture in pictures]
            parts.append("</div>")
    page = f"<!doctype html>\n<html lang=en><meta charset=utf-8><title>Screens</title>\n<style>{_STYLE}</style>\n"
    body = "<h1>Every screen of the terminal</h1>\n" + "\n".join(parts)
    (folder / "index.html").write_text(page + body + "\n", "utf-8")


def _figure(name: str) -> str:
    images = " ".join(f'<img src="{language}/{name}.png" alt="{language}">' for language in LANGUAGES)
    return f"<figure>{images}<figcaption>{name}</figcaption></figure>"
