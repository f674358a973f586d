# SPDX-License-Identifier: MIT
"""Backup and restore: online, encrypted, whole or refused, and audited afterwards."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import MetaData, select, text

from host_tests.harness.host import shop
from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from host_tests.host.test_audit import audit, busy, tamper
from tools.host.__main__ import main as command
from tools.host.books import full_audit
from tools.host.errors import BackupError, SetupError
from tools.host.folder_lock import claim
from tools.host.operations import backup, backup_file
from tools.host.store import migrate
from tools.host.store.ledger import Ledger
from tools.host.store.schema import metadata
from tools.sim import postgres
from tools.sim.host import Host

WORDS = b"correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cheap scrypt, and small chunks, so that every file has several."""
    monkeypatch.setattr(backup_file, "_COST", 4)
    monkeypatch.setattr(backup_file, "CHUNK", 500)
    monkeypatch.setattr(backup, "_TOGETHER", 3)


def check(ledger: Ledger) -> int:
    with ledger.read() as db:
        return len(list(full_audit.differences(db)))


def everything(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but what the audit log says of the backup itself."""
    with ledger.read() as db:
        return {
            table.name: sorted(
                [
                    tuple(row)
                    for row in db.execute(select(table))
                    if getattr(row, "what", "") not in ("backed up", "restored")
                ],
                key=repr,
            )
            for table in metadata.sorted_tables
        }


def saved(host: Host, till: Terminal, card: Card, name: str = "backup") -> Path:
    busy(host, till, card)
    host.wait_until_told()
    path = host.home / name
    backup.save(host.ledger, path, WORDS)
    return path


def test_what_is_restored_is_what_was_there(host: Host, till: Terminal, card: Card, place: Path | str) -> None:
    path = saved(host, till, card)
    counts, wrong = backup.restore(path, WORDS, place, check)
    assert wrong == 0 and counts["payment"] == 12 and counts["settlement"] == 1
    other = Ledger(place)
    try:
        assert everything(other) == everything(host.ledger)
        assert list(path.parent.glob(".other.db*")) == [] and list(path.parent.glob(".backup*")) == []
        with pytest.raises(BackupError, match="already"):
            backup.restore(path, WORDS, place, check)
    finally:
        other.close()


def test_a_backup_of_sqlite_is_restored_into_postgresql_and_back(
    host: Host, till: Terminal, card: Card, database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    path = saved(host, till, card)
    server: postgres.Server = request.getfixturevalue("server")
    url = server.create("other_kind")
    try:
        assert backup.restore(path, WORDS, url, check)[1] == 0
        other = Ledger(url)
        try:
            assert everything(other) == everything(host.ledger)
            backup.save(other, tmp_path / "again", WORDS)
        finally:
            other.close()
        file = f"sqlite:///{tmp_path}/back.db"
        assert backup.restore(tmp_path / "again", WORDS, file, check)[1] == 0
        back = Ledger(file)
        try:
            assert everything(back) == everything(host.ledger)
        finally:
            back.close()
    finally:
        server.drop("other_kind")


def test_a_backup_is_of_one_moment_although_the_host_goes_on(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch, place: Path | str
) -> None:
    busy(host, till, card)
    host.wait_until_told()
    rows, before = backup._rows, everything(host.ledger)

    def slow(db: object, table: object) -> object:
        till.ask(till.sale(till.record(100, card.tap(100))))  # a payment between any two tables
        return rows(db, table)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(backup, "_rows", slow)
    backup.save(host.ledger, host.home / "backup", WORDS)
    backup.restore(host.home / "backup", WORDS, place, check)
    other = Ledger(place)
    try:
        assert everything(other) == before != everything(host.ledger)
    finally:
        other.close()
    assert audit(host) == []


def test_no_row_can_be_read_in_the_file(host: Host, till: Terminal, card: Card) -> None:
    path = saved(host, till, card)
    data = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600 and data.startswith(backup_file.MAGIC)
    for needle in (b"KASSA001", b"APPROVED", b"payment", shop.MID.encode()):
        assert needle not in data


def test_a_file_that_is_cut_changed_or_mixed_is_refused_before_anything_is_written(
    host: Host, till: Terminal, card: Card
) -> None:
    path = saved(host, till, card)
    data, bad, target = path.read_bytes(), host.home / "bad", host.home / "other.db"
    size = 4 + 500 + 16
    first, second = data[38 : 38 + size], data[38 + size : 38 + 2 * size]
    at = random.Random(7)
    wrong = [data[:cut] for cut in (0, 3, 37, 38, 40, len(data) - 1, 38 + size, 38 + 2 * size)]
    wrong += [data + b"\0", data + first, data[:38] + second + first + data[38 + 2 * size :]]
    wrong += [data[:38] + data[38 + size :]]
    for _ in range(40):
        place = at.randrange(len(data))
        wrong.append(data[:place] + bytes((data[place] ^ 1 << at.randrange(8),)) + data[place + 1 :])
    for content in wrong:
        bad.write_bytes(content)
        with pytest.raises(BackupError):
            backup.restore(bad, WORDS, target, check)
        assert not target.exists() and list(host.home.glob(".other.db*")) == []


def test_another_key_is_refused(host: Host, till: Terminal, card: Card) -> None:
    path = saved(host, till, card)
    own, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    backup.save(host.ledger, host.home / "to a key", own.public_key())
    assert backup.look(host.home / "to a key", own)["payment"] == 12
    for file, key in (
        (path, b"another passphrase"),
        (path, own),
        (host.home / "to a key", other),
        (host.home / "to a key", WORDS),
    ):
        with pytest.raises(BackupError):
            backup.restore(file, key, host.home / "other.db", check)
    assert not (host.home / "other.db").exists()


def test_a_database_that_is_there_is_never_written_over(
    host: Host, till: Terminal, card: Card, place: Path | str
) -> None:
    path = saved(host, till, card)
    with pytest.raises(BackupError, match="is there already"):
        backup.save(host.ledger, path, WORDS)
    backup.restore(path, WORDS, place, check)
    with pytest.raises(BackupError, match="already"):
        backup.restore(path, WORDS, place, check)


def test_what_was_wrong_before_is_told_after(host: Host, till: Terminal, card: Card, place: Path | str) -> None:
    busy(host, till, card)
    tamper(host, "UPDATE balance SET amount = amount + 1 WHERE account = 'fees'")
    backup.save(host.ledger, host.home / "backup", WORDS)
    _, wrong = backup.restore(host.home / "backup", WORDS, place, check)
    assert wrong > 0


def test_a_backup_of_an_older_form_is_migrated_and_of_a_newer_one_refused(
    host: Host, monkeypatch: pytest.MonkeyPatch, place: Path | str
) -> None:
    class Old(Ledger):
        def prepare(self, db: object) -> None:
            migrate.upgrade(db, "0001")  # pyright: ignore[reportArgumentType]

    old = Old(host.home / "old.db")
    columns = "tid, mid, ikid, bdk_id, epoch, batch, message_mark, reported_sequence, reported_tag"
    of_its_time = MetaData()
    with old.write() as db:
        db.execute(text(f"INSERT INTO terminal ({columns}) VALUES ('KASSA001', '{shop.MID}', '', '', 1, 1, 0, 0, '')"))
        of_its_time.reflect(db, only=["terminal", "payment", "audit"])
    with monkeypatch.context() as patch:
        patch.setattr(type(metadata), "sorted_tables", of_its_time.sorted_tables)
        backup.save(old, host.home / "backup", WORDS)
    old.close()
    counts, wrong = backup.restore(host.home / "backup", WORDS, place, check)
    assert (counts["terminal"], wrong) == (1, 0)
    newer = Ledger(place)
    with newer.read() as db:
        assert migrate.MigrationContext.configure(db).get_current_revision() not in (None, "0001")
    newer.close()
    with pytest.raises(SetupError):
        migrate.check("9999")


def test_the_commands(host: Host, till: Terminal, card: Card, tmp_path: Path) -> None:
    busy(host, till, card)

    def run(*arguments: object, status: int = 0) -> str:
        result = CliRunner().invoke(command, [str(one) for one in arguments])
        assert result.exit_code == status, result.output
        return result.output

    own = X25519PrivateKey.generate()
    public = own.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "public.pem").write_bytes(public)
    (tmp_path / "private.pem").write_bytes(private)
    (tmp_path / "words").write_bytes(WORDS + b"\n")
    (tmp_path / "short").write_bytes(b"secret\n")
    home, key, words = (
        ("--home", host.home),
        ("--key", tmp_path / "private.pem"),
        ("--passphrase-file", tmp_path / "words"),
    )
    run("backup", *home, tmp_path / "none", status=2)
    run("backup", *home, "--passphrase-file", tmp_path / "short", tmp_path / "none", status=1)
    run("backup", *home, "--to", tmp_path / "words", tmp_path / "none", status=1)
    assert "rows of" in run("backup", *home, "--to", tmp_path / "public.pem", tmp_path / "a")
    run("backup", *home, *words, tmp_path / "b")
    assert "everything agrees" in run("restore", "--home", tmp_path / "A", *key, tmp_path / "a")
    assert "everything agrees" in run("restore", "--home", tmp_path / "B", *words, tmp_path / "b")
    assert "already" in run("restore", "--home", tmp_path / "B", *words, tmp_path / "b", status=1)
    assert "another key" in run(
        "restore", "--home", tmp_path / "C", "--passphrase-file", _other(tmp_path), tmp_path / "b", status=1
    )
    assert not (tmp_path / "C" / "host.db").exists() and not (tmp_path / "none").exists()


@pytest.mark.on_sqlite("a server's database is made by its administrator, not by `init`")
def test_a_new_host_is_filled_from_a_backup_unless_it_runs(
    host: Host, till: Terminal, card: Card, tmp_path: Path
) -> None:
    path, home = saved(host, till, card), tmp_path / "new"
    (tmp_path / "words").write_bytes(WORDS + b"\n")
    assert CliRunner().invoke(command, ["init", str(home)]).exit_code == 0
    arguments = ["restore", "--home", str(home), "--passphrase-file", str(tmp_path / "words"), str(path)]
    with claim(home):
        assert "another process works in" in CliRunner().invoke(command, arguments).output
    assert "everything agrees" in CliRunner().invoke(command, arguments).output
    assert "is there already" in CliRunner().invoke(command, arguments).output


def _other(folder: Path) -> Path:
    path = folder / "other words"
    path.write_bytes(b"some other passphrase")
    return path
