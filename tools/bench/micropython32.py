# SPDX-License-Identifier: MIT
"""A 32-bit MicroPython, with objects of the same sizes as on an ESP32: Debian's i386 package, unpacked into a cache.

`python -m tools.bench.micropython32` prints its path. Nothing is installed; apt verifies the packages it downloads.
"""

import functools
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_LIST = Path("/etc/apt/sources.list")
_SUITE = "sid"  # the only suite with MicroPython >= 1.26
_PACKAGE = "micropython"
_PATIENCE_S = 300
_LIBRARIES = "lib/i386-linux-gnu"
_TELL = "import sys; print('%d.%d.%d' % sys.implementation[1][:3], sys.maxsize)"


class Unavailable(Exception):
    """The interpreter is not available here; the message is the reason, in one line."""


def cache() -> Path:
    """The project's folder in this user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kassa" / "micropython32"


def path() -> Path:
    """Path of a command that runs the interpreter, downloaded at the first call. Raises Unavailable."""
    command = cache() / "micropython32"
    if not command.exists():
        _fetch(command)
    return command


@functools.cache
def find() -> Path | None:
    """Like `path`, but returns None if unavailable, and prints the reason once on standard error."""
    try:
        return path()
    except Unavailable as reason:
        print(f"no 32-bit MicroPython: {reason}", file=sys.stderr)
        return None


def version() -> str:
    """The interpreter's version, such as "1.26.1". Raises Unavailable."""
    words = _run(path(), "-c", _TELL).split()
    if words[1:] != [str(2**31 - 1)]:
        raise Unavailable("the downloaded interpreter is not a 32-bit one")
    return words[0]


def _fetch(command: Path) -> None:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "i686"):
        raise Unavailable("it needs Linux on an x86 processor")
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise Unavailable("it needs Debian's apt-get and dpkg")
    source = _source()
    command.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=command.parent) as folder:
        work = Path(folder)
        debs = _download(work, source)
        for deb in debs:
            _run("dpkg", "-x", deb, work / "root")
        root = command.parent / "root"
        shutil.rmtree(root, ignore_errors=True)
        (work / "root").rename(root)
        wrapper = work / command.name
        wrapper.write_text(script(root / "usr"))
        wrapper.chmod(0o755)
        _run(wrapper, "-c", _TELL)
        wrapper.rename(command)


def script(usr: Path) -> str:
    """Text of a shell script that runs the interpreter below `usr` with its own libraries."""
    loader = f'"{usr}/{_LIBRARIES}/ld-linux.so.2" --library-path "{usr}/{_LIBRARIES}:{usr}/lib"'
    return f'#!/bin/sh\nexec {loader} "{usr}/bin/micropython" "$@"\n'


def _source() -> str:
    """An apt source entry for our suite, with the archive and keys of this machine's own Debian sources."""
    if _SOURCES.exists():
        for stanza in _SOURCES.read_text().split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(\S+)", stanza, re.MULTILINE))
            if "main" in stanza and "URIs" in fields:
                return _entry(fields["URIs"], fields.get("Signed-By", ""))
    if _LIST.exists():
        found = re.search(r"^deb\s+(?:\[.*?\]\s+)?(\S*debian/?)\s", _LIST.read_text(), re.MULTILINE)
        if found:
            return _entry(found[1], "")
    raise Unavailable("this machine has no Debian sources")


def _entry(archive: str, keys: str) -> str:
    signed = f"Signed-By: {keys}\n" if keys else ""
    return f"Types: deb\nURIs: {archive}\nSuites: {_SUITE}\nComponents: main\n{signed}"


def _download(work: Path, source: str) -> list[Path]:
    """Download the package and its dependencies. apt works in `work`, as if nothing were installed."""
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "archives" / "partial").mkdir(parents=True)
    (work / "status").touch()
    (work / "kassa.sources").write_text(source)
    settings = {
        "APT::Architecture": "i386",
        "APT::Architectures": "i386",
        "APT::Install-Recommends": "0",
        "APT::Sandbox::User": "",
        "Dir::State": work,
        "Dir::State::Lists": work / "lists",
        "Dir::State::status": work / "status",
        "Dir::Cache": work,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::sourcelist": work / "kassa.sources",
    }
    apt = ["apt-get", "-qq", "-y", *[f"-o{name}={value}" for name, value in settings.items()]]
    _run(*apt, "update")
    _run(*apt, "--download-only", "install", _PACKAGE)
    return sorted((work / "archives").glob("*.deb"))


def _run(*command: str | Path) -> str:
    """Run a command and return its output. Raises Unavailable with the last line if it fails."""
    plain = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, env=plain)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["failed without a message"]
        raise Unavailable(f"{Path(command[0]).name}: {lines[-1]}")
    return done.stdout


if __name__ == "__main__":
    found = find()
    if found is None:
        sys.exit(69)  # EX_UNAVAILABLE
    print(found)
