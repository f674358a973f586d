# SPDX-License-Identifier: MIT
"""Tables that an operator publishes from the command line, whether or not the host is running."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tools.host.commands import clear, publish
from tools.host.errors import SetupError
from tools.host.store.ledger import Ledger
from tools.host.tables import publication
from tools.host.tables.card_entries import Application, Authority
from tools.host.tables.publication import Tables
from tools.host.tables.terminal_settings import OfflineApproval, OfflineLimits, Settling
from tools.provision.ca_public_keys import TEST


def run(home: Path, name: str, rows: Any = None, *words: str) -> Result:
    Ledger(home / "host.db").close()
    file = home / "rows.json"
    file.write_text(json.dumps(rows))
    return CliRunner().invoke(publish.main, ["--home", str(home), name, *(words if rows is None else [str(file)])])


def stored(home: Path, network: str) -> tuple[int, bytes]:
    row = json.loads((home / "tables.json").read_text())[network]
    return row["version"], bytes.fromhex(row["data"])


def test_each_table_can_be_published(tmp_path: Path) -> None:
    key = next(entry for entry in TEST if isinstance(entry, Authority))
    named = {
        "merchant_name": "老街茶馆", "largest_sale": 9_900, "settling": {"minute": 1350}, "offline_limits": {"payment": 5_000},
        "offline_approval": {"floor": 3_000},
    }  # fmt: skip
    assert "360 is now version 1" in run(tmp_path, "parameters", named).output
    assert stored(tmp_path, "360")[1] == publication.parameters(
        {
            0x03: "老街茶馆".encode(),
            0x10: (9_900).to_bytes(6, "big"),
            0x12: Settling(1350).pack(),
            0x0C: OfflineLimits(payment=5_000).pack(),
            0x11: OfflineApproval(floor=3_000).pack(),
        }
    )
    rows = [{"aid": "A0000000041010", "kernel": 2, "floor": 5000, "online": "F45084800C"}]
    assert "380 is now version 1" in run(tmp_path, "applications", rows).output
    expected = Application(bytes.fromhex("A0000000041010"), 2, floor=5000, online=bytes.fromhex("F45084800C"))
    assert stored(tmp_path, "380")[1] == expected.pack(b"")
    known = {"rid": key.rid.hex(), "index": key.index, "modulus": key.modulus.hex(), "exponent": 3}
    gone = {"rid": key.rid.hex(), "index": key.index, "serial": "000007"}
    assert "370 is now version 1" in run(tmp_path, "ca-keys", [known, gone]).output
    assert stored(tmp_path, "370")[1].startswith(key.pack(b""))
    assert "390 is now version 1" in run(tmp_path, "blocked-bins", None, "622202", "99").output
    assert "390 is now version 2" in run(tmp_path, "blocked-bins").output
    assert stored(tmp_path, "390") == (2, publication.blocked_bins([]))


@pytest.mark.parametrize(
    "name, rows",
    [
        ("parameters", {"terminal_id": "KASSA002"}),
        ("parameters", {"offline_limits": {"payments": 1}}),
        ("parameters", {"largest_sale": -1}),
        ("parameters", ["largest_sale"]),
        ("applications", [{"aid": "A0000000041010", "kernel": 9}]),
        ("applications", [{"aid": "no hex", "kernel": 2}]),
        ("applications", []),
        ("applications", [{"aid": "A0000000041010", "kernel": 2}] * 25),
        ("ca-keys", [{"rid": "A000000003"}]),
        ("ca-keys", [{"rid": "A00003", "index": 1, "modulus": "AA" * 128, "exponent": 3}]),
        ("ca-keys", [{"rid": "A000000003", "index": 1, "serial": "07"}]),
        ("parameters", {"merchant_name": "店" * 21}),
        ("parameters", {"offline_limits": {"count": 501}}),
        ("parameters", {"settling": {"count": 901}}),
    ],
)
def test_an_invalid_table_is_refused(tmp_path: Path, name: str, rows: Any) -> None:
    result = run(tmp_path, name, rows)
    assert result.exit_code == 1 and "not published" in result.output
    assert not (tmp_path / "tables.json").exists()


@pytest.mark.parametrize("digits", ["12ab", "", "1" * 20, "-1", "４"])
def test_an_invalid_bin_is_refused(tmp_path: Path, digits: str) -> None:
    assert run(tmp_path, "blocked-bins", None, "99", "--", digits).exit_code == 1
    assert not (tmp_path / "tables.json").exists()


def test_a_running_host_sees_a_published_table_and_ignores_a_broken_file(tmp_path: Path) -> None:
    running = Tables(tmp_path)
    assert running.wanted({}) == 0
    run(tmp_path, "blocked-bins", None, "99")
    assert running.wanted({}) == 7 and running.wanted({"390": 1}) == 0
    for broken in ("torn", "[]", '{"390": {"version": "x", "data": ""}}', '{"390": 1}'):
        (tmp_path / "tables.json").write_text(broken)
        assert running.wanted({}) == 7
        for fails in (lambda: Tables(tmp_path), lambda: running.publish("390", bytes(16))):
            with pytest.raises(SetupError):
                fails()
    (tmp_path / "tables.json").unlink()
    assert running.wanted({}) == 7


def test_two_publishers_do_not_lose_each_others_tables(tmp_path: Path) -> None:
    running = Tables(tmp_path)
    run(tmp_path, "blocked-bins", None, "99")
    running.publish(publication.APPLICATIONS, bytes(64))
    assert running.wanted({"380": 1}) == 7 and Tables(tmp_path).wanted({"390": 1}) == 5


@pytest.mark.parametrize("rows", [[1], {"foo": 1}, 7])
def test_json_of_another_shape_is_refused_in_one_line(tmp_path: Path, rows: Any) -> None:
    for name in ("parameters", "applications"):
        told = run(tmp_path, name, rows)
        assert told.exit_code == 1 and len(told.output.splitlines()) == 1
        assert "is wanted" in told.output or "there is no setting 'foo'" in told.output


def test_a_folder_that_is_no_host_stays_as_it_is(tmp_path: Path) -> None:
    for command, words in (
        (publish.main, ["blocked-bins", "401200"]),
        (clear.main, ["--terminal", "KASSA001", "--supervisor", "Ms Li"]),
    ):
        told = CliRunner().invoke(command, ["--home", str(tmp_path), *words])
        assert told.exit_code == 1 and "is not a host's folder" in told.output
    assert list(tmp_path.iterdir()) == []
