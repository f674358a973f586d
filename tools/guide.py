# SPDX-License-Identifier: MIT
"""`make guide`: the cashier's guide as a PDF in both languages, one page a task, from docs/cashier.md and docs/cashier.zh.md.

python -m tools.guide FOLDER
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from markdown_it import MarkdownIt

from tools.world.power import ROOT

DOCS = ROOT / "docs"
PAGES = {"en": DOCS / "cashier.md", "zh": DOCS / "cashier.zh.md"}
_PICTURE = re.compile(r"images/screens/(\w+)/([\w-]+)\.png")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_TIMEOUT_S = 120
_STYLE = """
@page { size: A5; margin: 11mm 12mm }
body { font: 11pt/1.4 "Noto Sans", "Noto Sans CJK SC", "Noto Sans SC", "WenQuanYi Zen Hei", sans-serif; color: #16202b; margin: 0 }
h1 { font-size: 23pt; line-height: 1.15; margin: 0 0 3mm }
h2 { break-before: page; font-size: 17pt; line-height: 1.2; margin: 0 0 3mm; padding-bottom: 1.5mm;
     border-bottom: 1.2mm solid #12805c }
p { margin: 0 0 2.5mm } ol, ul { margin: 0 0 3mm; padding-left: 6mm } li { margin: 0 0 1.2mm }
em { font-style: normal; font-weight: 600 }
code { font: 600 10pt "DejaVu Sans Mono", monospace; border: .3mm solid #7a8794; border-bottom-width: .7mm; border-radius: 1mm;
       padding: 0 1.2mm; background: #f1f4f7; white-space: nowrap }
img { width: 58mm; height: 43.5mm; border: .3mm solid #7a8794; border-radius: 1mm; margin: 1mm 2mm 1mm 0; image-rendering: auto }
table { border-collapse: collapse; margin: 0 0 3mm; font-size: 10pt; line-height: 1.3 }
td, th { border: .2mm solid #b4bec8; padding: .8mm 2mm; text-align: left; vertical-align: top }
td:first-child { white-space: nowrap }
th { background: #f1f4f7 } blockquote { margin: 0 0 3mm; padding: 1.5mm 3mm; border-left: 1.2mm solid #c46a00; background: #fdf4e7 }
blockquote p { margin: 0 }
"""


def pictures(text: str) -> list[tuple[str, str]]:
    """(language, name) of the scenes whose pictures a page of Markdown shows, in order."""
    return _PICTURE.findall(text)


def html(language: str) -> str:
    """The guide as one HTML page; its pictures are relative to docs."""
    body = MarkdownIt("commonmark").enable("table").render(PAGES[language].read_text("utf-8"))
    head = f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n<base href="{DOCS.as_uri()}/">\n'
    return f"{head}<style>{_STYLE}</style>\n{body}"


def write(folder: Path, language: str) -> Path:
    """Write the PDF, and the HTML page it is printed from. Raises FileNotFoundError without a browser, CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    page, target = folder / f"cashier.{language}.html", folder / f"cashier.{language}.pdf"
    page.write_text(html(language), "utf-8")
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise FileNotFoundError("chromium is missing; it prints the PDF")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={target}"]
    subprocess.run([browser, *options, page.resolve().as_uri()], check=True, capture_output=True, timeout=_TIMEOUT_S)
    return target


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/guide")
    try:
        for language in PAGES:
            print(write(folder, language))
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
