# SPDX-License-Identifier: MIT
"""Which role may do what: the whole matrix, and that every guarded flow asks for its own act."""

from __future__ import annotations

import ast

import pytest

from kassa.desk import roles
from tools import menu_keys
from tools.host.page.texts import en, zh
from tools.host.tables.staff_acts import ACTS
from tools.world.power import FIRMWARE

# act: who may do it without asking: nobody logged in (-), a cashier, a supervisor, an administrator
MATRIX = {
    "-csa": {"log_in", "log_out", "shift", "own_code", "code_locked", "sale", "settle", "tip"},
    "sa": {
        "void", "refund", "adjust", "preauth_cancel", "offline", "write_off", "sign_off", "operators", "reset_cashier",
        "clear_reversal", "new_batch", "parameters", "lock", "unlock", "first_code",
    },
    "a": {"add_operator", "remove_operator", "reset_code", "export_log"},
}  # fmt: skip
NOT_IN_THE_LOG = {"sale", "settle", "tip"}
TABLE = {line.split()[0] for line in roles.TABLE.strip().splitlines()}
ASKS = ("need_role", "allowed", "permitted_by", "_permitted", "_reset")


@pytest.mark.parametrize("role", ["", "c", "s", "a"])
def test_the_matrix(role: str) -> None:
    acts = [(act, who) for who, some in MATRIX.items() for act in some]
    assert {act for act, _ in acts} == TABLE | NOT_IN_THE_LOG
    for act, who in acts:
        assert roles.may(role, act) == ((role or "-") in who), (role, act)
        assert not role or (role in roles.holders(act)) == roles.may(role, act)


def test_every_act_has_an_id_of_its_own_and_the_host_has_words_for_it() -> None:
    assert {roles.number(act): act for act in TABLE} == ACTS
    assert roles.number("sale") == 0
    for texts in (en.TEXTS, zh.TEXTS):
        assert all(texts[f"act_{act}"] for act in ACTS.values())


def asked_for() -> set[str]:
    """The acts that flows ask permission for, by their calls."""
    found: set[str] = set()
    for path in (FIRMWARE / "kassa" / "flows").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in ASKS:
                    found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}  # type: ignore[misc]
    return found


def test_every_guarded_act_is_asked_for_and_nothing_else_is() -> None:
    guarded = (MATRIX["sa"] | MATRIX["a"]) - {"unlock"}  # the log-in page itself looks at the role
    assert {act for act in asked_for() if act in TABLE} == guarded


def test_every_entry_of_the_guarded_menus_is_guarded() -> None:
    menus = menu_keys.menus()
    assert set(menus["supervisor"]) <= MATRIX["sa"]
    assert set(menus["administrator"]) <= MATRIX["a"]
