# SPDX-License-Identifier: MIT
"""A PostgreSQL server for tests and the bench: in a folder of its own, on a Unix socket, ended with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

_OWNER = "kassa"  # of the databases
_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def program(name: str) -> str | None:
    """The path of one of PostgreSQL's programs, or None if it is not installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(installed[0]) if installed else shutil.which(name)


def lacking() -> str | None:
    """Why there can be no server here, or None."""
    if program("initdb") is None or program("pg_ctl") is None:
        return "PostgreSQL is not installed"
    return None if os.getuid() or _user() else "PostgreSQL does not run as root, and there is no user postgres"


class Server:
    """A running server. `durable`: each commit is on disk, as in production; tests of behaviour do without."""

    def __init__(self, durable: bool = False, settings: str = "", of: Server | None = None, name: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kassa-pg-", dir="/tmp"))
        self.data = self.folder / "data"
        if not os.getuid():
            shutil.chown(self.folder, "postgres")
        if of is not None:
            source = f"host={of.folder} user={_OWNER} application_name={name}"
            _run(program("pg_basebackup"), "-d", source, "-D", self.data, "-R", "-X", "stream", "--no-sync")
            self._configure(durable, settings)
            self.start()
            return
        _run(program("initdb"), "-A", "trust", "-U", _OWNER, "--no-sync", "-E", "UTF8", "-D", self.data)
        self._configure(durable, settings)
        self.start()

    def _configure(self, durable: bool, settings: str) -> None:
        lines = [
            "listen_addresses = ''",
            f"unix_socket_directories = '{self.folder}'",
            "max_connections = 200",
            f"fsync = {'on' if durable else 'off'}",
            f"synchronous_commit = {'on' if durable else 'off'}",
            settings,
        ]
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")

    def start(self) -> None:
        _run(program("pg_ctl"), "-D", self.data, "-l", self.folder / "log", "-w", "start")

    def standby(self, name: str) -> Server:
        """A server that follows this one, under this name."""
        return Server(settings="hot_standby = on", of=self, name=name)

    def promote(self) -> None:
        """Let a standby become a server of its own."""
        _run(program("pg_ctl"), "-D", self.data, "-w", "promote")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: "fast", or "immediate" as in a power cut."""
        _run(program("pg_ctl"), "-D", self.data, "-m", mode, "-w", "stop")

    def url(self, name: str) -> str:
        return f"postgresql:///{name}?host={self.folder}&user={_OWNER}"

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database unless it exists, as a copy of another one; its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")  # half the time for small ones
                db.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop(self, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            for name in names:
                db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Stop the server and remove its folder."""
        with suppress(subprocess.CalledProcessError):  # it is stopped already
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


def _user() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None


def _run(*command: object) -> None:
    """Run a program, as user postgres if this is root."""
    user = {} if os.getuid() else {"user": "postgres", "group": "postgres", "extra_groups": ()}
    subprocess.run([str(word) for word in command], check=True, cwd="/tmp", timeout=60, **_QUIET, **user)  # type: ignore[call-overload]
