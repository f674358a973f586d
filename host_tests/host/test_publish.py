# SPDX-License-Identifier: MIT
"""Tables that an operator publishes from the command line, whether or not the host is running."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from tools.host.commands import clear, publish
from tools.host.errors import SetupError
from tools.host.store.ledger import Ledger
from tools.host.store.schema import published, terminal
from tools.host.store.upsert import put
from tools.host.tables import publication
from tools.host.tables.card_entries import Application, Authority
from tools.host.tables.publication import Tables
from tools.host.tables.terminal_settings import OfflineApproval, OfflineLimits, Settling
from tools.provision.ca_public_keys import TEST


def run(home: Path, name: str, rows: Any = None, *words: str) -> Result:
    (home / "ca.pem").touch()
    Ledger(home / "host.db").close()
    file = home / "rows.json"
    file.write_text(json.dumps(rows))
    return CliRunner().invoke(publish.main, ["--home", str(home), name, *(words if rows is None else [str(file)])])


def stored(home: Path, network: str) -> tuple[int, bytes] | None:
    with Ledger(home / "host.db").read() as db:
        of = select(published.c.version, published.c.data).where(published.c.network == network)
        row = db.execute(of.order_by(published.c.version.desc())).first()
        return (row.version, bytes(row.data)) if row else None


def of(home: Path, network: str) -> bytes:
    row = stored(home, network)
    assert row is not None
    return row[1]


def wanted(tables: Tables, known: dict[str, int]) -> int:
    """What a terminal with these versions is asked to do."""
    row = {"tid": "T", "mid": "M", "ikid": "", "bdk_id": "", "versions": json.dumps(known)}
    with tables._ledger.write() as db:
        put(db, terminal, row)
        return tables.wanted(db, "T")


def test_each_table_can_be_published(tmp_path: Path) -> None:
    key = next(entry for entry in TEST if isinstance(entry, Authority))
    named = {
        "merchant_name": "老街茶馆", "largest_sale": 9_900, "settling": {"minute": 1350}, "offline_limits": {"payment": 5_000},
        "offline_approval": {"floor": 3_000},
    }  # fmt: skip
    assert "360 is now version 1" in run(tmp_path, "parameters", named).output
    assert of(tmp_path, "360") == publication.parameters(
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
    assert of(tmp_path, "380") == expected.pack(b"")
    known = {"rid": key.rid.hex(), "index": key.index, "modulus": key.modulus.hex(), "exponent": 3}
    gone = {"rid": key.rid.hex(), "index": key.index, "serial": "000007"}
    assert "370 is now version 1" in run(tmp_path, "ca-keys", [known, gone]).output
    assert of(tmp_path, "370").startswith(key.pack(b""))
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
    assert stored(tmp_path, "360") is None


@pytest.mark.parametrize("digits", ["12ab", "", "1" * 20, "-1", "４"])
def test_an_invalid_bin_is_refused(tmp_path: Path, digits: str) -> None:
    assert run(tmp_path, "blocked-bins", None, "99", "--", digits).exit_code == 1
    assert stored(tmp_path, "390") is None


def test_a_running_host_sees_a_published_table(tmp_path: Path) -> None:
    running = Tables(Ledger(tmp_path / "host.db"))
    assert wanted(running, {}) == 0
    run(tmp_path, "blocked-bins", None, "99")
    assert wanted(running, {}) == 7 and wanted(running, {"390": 1}) == 0


def test_two_publishers_at_once_lose_no_version(tmp_path: Path) -> None:
    tables = [Tables(Ledger(tmp_path / "host.db")) for _ in range(4)]
    with ThreadPoolExecutor() as threads:
        versions = list(threads.map(lambda at: tables[at % 4].publish("390", bytes(64)), range(40)))
    assert sorted(versions) == list(range(1, 41))
    with tables[0]._ledger.read() as db:
        assert db.execute(text("SELECT count(*) FROM audit WHERE what = 'table published'")).scalar_one() == 40


def test_a_merchants_own_table_goes_before_the_one_for_all(tmp_path: Path) -> None:
    tables = Tables(Ledger(tmp_path / "host.db"))
    assert tables.publish("390", bytes(64)) == 1
    assert tables.publish("390", bytes(32), merchant="M") == 2
    assert tables.publish("390", bytes(96)) == 3
    assert wanted(tables, {"390": 2}) == 0 and wanted(tables, {"390": 3}) == 7


def test_tables_of_an_older_host_are_taken_over_once(tmp_path: Path) -> None:
    tables, old = Tables(Ledger(tmp_path / "host.db")), tmp_path / "tables.json"
    tables.take_over(old)
    old.write_text(json.dumps({"390": {"version": 7, "data": "00" * 16}}))
    tables.take_over(old)
    assert not old.exists() and wanted(tables, {}) == 7 and wanted(tables, {"390": 7}) == 0
    for broken in ("", "torn", "[]", '{"390": {"version": "x", "data": ""}}', '{"390": 1}'):
        old.write_text(broken)
        with pytest.raises(SetupError, match="tables.json"):
            tables.take_over(old)


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
