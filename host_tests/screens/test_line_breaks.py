# SPDX-License-Identifier: MIT
"""Where the firmware breaks text into rows: every screen text of both languages, at every width of a page and narrower."""

import json
import re

from tools.fonts.build import table

WIDTHS = (288, 240, 192, 144)
FIRST, LAST = "，。、；：？！）》」”’…,.;:?!)%", "（《「“‘"
WRAP = """
import json
from kassa.screens import font
from kassa.screens.canvas import Canvas
made = Canvas(None, font.Font())
for line in open("texts"):
    width, text = json.loads(line)
    for face in (font.TEXT, font.TITLE):
        rows = made.wrap(text, width, face)
        print("rows", json.dumps([width, text, rows, max([made.measure(face, row) for row in rows])]))
"""
HARD = (
    "请客户在手机上确认付款（金额¥1,234.56），超时后订单关闭。",
    "余额不足：可用¥12.00，需要¥1,000.00！请用其他方式付款",
    "脱机交易12笔，共¥12,345.67，联网后自动上送Wi-Fi网络",
    "Amount ¥12,345.67 (tip included), please wait for the host's answer",
)


def test_rows_break_where_a_reader_expects_it(run_script, tmp_path) -> None:
    plain = [text for language in ("en", "zh") for text in table(language).values() if text.strip()]
    texts = [text.replace("%s", "¥1,000.00").replace("%d", "12") for text in plain] + list(HARD)
    (tmp_path / "texts").write_text("\n".join(json.dumps([width, text]) for text in texts for width in WIDTHS) + "\n")
    world = run_script(WRAP.replace('"texts"', repr(str(tmp_path / "texts"))))
    world.wait_off(120)
    found = [json.loads(line[5:]) for line in world.console.splitlines() if line.startswith("rows ")]
    assert len(found) == 2 * len(texts) * len(WIDTHS)
    for width, text, rows, widest in found:
        assert widest <= width, (text, rows)
        assert "".join("".join(rows).split()) == "".join(text.split())  # nothing lost, nothing added
        for above, below in zip(rows, rows[1:], strict=False):
            torn = max(above) < "\u2000" and " " not in above  # one word fills the row
            assert torn or below[0] not in FIRST and above[-1] not in LAST, (text, rows)
        for word in re.findall(r"[A-Za-z0-9¥][A-Za-z0-9¥.,-]*", text):
            assert len(word) * 20 > width or any(word in row for row in rows), (text, rows)
    print(f"{len(found)} texts broken into {sum(len(rows) for _, _, rows, _ in found)} rows")
