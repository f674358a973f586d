# SPDX-License-Identifier: MIT
"""The tree of menus: short pages, every entry once, each with its text in both languages and a flow that exists."""

import ast

import pytest

from tools import menu_keys
from tools.fonts.build import table
from tools.world.power import FIRMWARE

MENUS = menu_keys.menus()
LEAVES = [entry for entries in MENUS.values() for entry in entries if entry not in MENUS]


def test_a_page_has_at_most_seven_entries_and_every_menu_hangs_on_the_first() -> None:
    assert all(1 < len(entries) <= 7 for entries in MENUS.values()), MENUS
    everything = [entry for entries in MENUS.values() for entry in entries]
    assert len(everything) == len(set(everything))
    assert set(MENUS) - {"menu"} <= set(everything)


@pytest.mark.parametrize("entry", LEAVES)
def test_an_entry_opens_a_flow_of_one_session(entry: str) -> None:
    module, name = menu_keys.flow_of(entry)
    source = ast.parse((FIRMWARE / "kassa" / "flows" / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    flow = next(node for node in source.body if isinstance(node, ast.AsyncFunctionDef) and node.name == name)
    assert len(flow.args.args) - len(flow.args.defaults) == 1
    assert 2 <= len(menu_keys.keys_of(entry)) <= 4


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_menu_and_entry_has_a_text(language: str) -> None:
    assert not {*MENUS, *LEAVES} - set(table(language))
