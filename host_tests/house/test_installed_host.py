# SPDX-License-Identifier: MIT
"""`pip install .` installs the settlement host alone, whole, with its command kassa-host."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "tools" / "host").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in FILES:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", str(source / "wheels"), str(source)], check=True, cwd=source)
    (made,) = (source / "wheels").iterdir()
    return made


def test_every_file_of_the_host_is_in_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert sorted(name for name in names if ".dist-info/" not in name) == FILES


def test_an_installed_host_has_its_command_and_opens_its_books(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--prefix", str(place), str(wheel)]
    subprocess.run(pip, check=True, cwd=tmp_path)
    (packages,) = place.rglob("site-packages")
    environment = {"PYTHONPATH": f"{packages}:{sysconfig.get_path('purelib')}", "PATH": "/usr/bin:/bin"}

    def run(*arguments: str) -> str:
        command = [str(place / "bin" / "kassa-host"), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    home = str(tmp_path / "home")
    assert "kassa-host.toml" in run("init", home)
    merchant = ("add", "898000000000001", "--name", "Tea shop", "--account", "6222020000001234567")
    run("merchants", "--home", home, *merchant, "--bic", "ICBKCNBJXXX", "--fee", "60", "--by", "Li")
    assert "Tea shop" in run("merchants", "--home", home, "list")
