# SPDX-License-Identifier: MIT
"""docs/performance.md: it lists and explains every figure, and agrees with bench.json."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tools.bench import page
from tools.bench.figures import AT_LEAST, AT_MOST, unit

TEXT = page.PAGE.read_text()
EXPLAINED = TEXT.split(page.END)[1]
BENCH = page.ROOT / "bench.json"


def tables(text: str) -> str:
    """The text between the markers."""
    return text.split(page.BEGIN)[1].split(page.END)[0]


def figures_of(text: str) -> dict[str, float]:
    """The figures in the tables. The names of the other stores' figures are derived from ours."""
    found: dict[str, float] = {}
    for line in tables(text).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not cells[0].startswith("`"):
            continue
        name = cells[0].strip("`")
        columns = ("journal", *page.NAMES) if len(cells) > 4 else ("",)
        for column, cell in zip(columns, cells[3:], strict=True):
            full = name.replace("journal", column, 1) if column else name
            found[full] = float(cell.split()[0].replace(",", ""))
    return found


def test_every_figure_is_on_the_page_with_its_unit() -> None:
    assert set(figures_of(TEXT)) == set(page.ALL)
    for name in (*page.OURS, *(f"journal_{stem}" for stem in page.COMPARED)):
        assert f"| `{name}` | {unit(name)} |" in TEXT


def test_every_figure_has_a_unit() -> None:
    assert all(unit(name) for name in page.ALL)


def test_every_budget_belongs_to_a_figure() -> None:
    assert set(AT_MOST) | set(AT_LEAST) <= set(page.ALL)


def test_every_figure_is_explained() -> None:
    heads = "".join(line.split(": ")[0] for line in EXPLAINED.splitlines() if line.startswith("- "))
    assert set(re.findall(r"`(\w+)`", heads)) == {*page.OURS, *(f"journal_{stem}" for stem in page.COMPARED)}


def test_the_page_agrees_with_the_measurement() -> None:
    if not BENCH.exists():
        pytest.skip("no bench.json here (make bench)")
    bench = json.loads(BENCH.read_text())["figures"]
    listed = figures_of(TEXT)
    same = [name for name in bench if not name.endswith(page.NEARLY)]
    assert {name: listed[name] for name in same} == {name: bench[name] for name in same}, (
        "not from the same run: make bench"
    )


def test_written_figures_can_be_read_back(tmp_path: Path) -> None:
    figures = {name: float(number) for number, name in enumerate(page.ALL)}
    copy = tmp_path / "performance.md"
    copy.write_text(TEXT)
    page.write(figures, "test", copy)
    assert figures_of(copy.read_text()) == figures
    assert copy.read_text().startswith(TEXT.split(page.BEGIN)[0]) and copy.read_text().endswith(EXPLAINED)


def test_the_page_is_not_written_if_a_figure_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {name: 1.0 for name in page.ALL if "instructions" not in name}
    copy = tmp_path / "performance.md"
    copy.write_text(TEXT)
    page.write(figures, "test", copy)
    assert copy.read_text() == TEXT
    assert "journal_accept_instructions" in capsys.readouterr().err


def test_a_figure_without_a_place_on_the_page_is_refused() -> None:
    with pytest.raises(ValueError, match="novelty"):
        page.block(dict.fromkeys((*page.ALL, "novelty_ms"), 1.0), "test")
