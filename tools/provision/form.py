# SPDX-License-Identifier: MIT
"""Asks for what a terminal needs, and checks it. Secrets are asked for only here: never an argument, never printed back."""

import json
import re
import secrets
from pathlib import Path
from typing import Any

import click

from tools.host.tables import coverage
from tools.host.tables.card_entries import Authority, Entry, Revocation
from tools.host.tables.terminal_settings import OfflineApproval, OfflineLimits
from tools.provision.device import Terminal
from tools.provision.errors import BadInput

_IN_HEX = ("rid", "modulus", "checksum", "serial")
_RULES = {  # field -> (pattern, what it must be)
    "terminal_id": (r"[\x21-\x7e]{8}", "terminal id: 8 characters of ASCII"),
    "merchant_id": (r"[\x21-\x7e]{15}", "merchant id: 15 characters of ASCII"),
    "merchant_name": (r"(?s).+", "merchant name: at least one character"),
    "host_address": (r"[A-Za-z0-9.:-]{1,253}", "host address: a name or an IP address"),
    "wifi_name": (r"(?s).{1,32}", "Wi-Fi name: 1 to 32 bytes"),
    "wifi_password": (r"|[\x20-\x7e]{8,63}", "Wi-Fi password: 8 to 63 characters, or none for an open network"),
    "supervisor_code": (r"[0-9]{6}", "supervisor code: 6 digits"),
}
_MOST_NAME = 60  # bytes


def ask(given: dict[str, str | None], port: int, parameters: Path | None, keys: Path | None) -> Terminal:
    """A terminal from options and, where they are None, from a person. Raises BadInput.

    `given`: terminal_id, merchant_id, merchant_name, language, host_address. `parameters`, `keys`: JSON files as for
    tools/host/commands/publish.py.
    """
    fields: dict[str, Any] = {"host_port": port, "authorities": _keys(keys), **_parameters(parameters)}
    questions = {
        "terminal_id": "Terminal id (8 characters)",
        "merchant_id": "Merchant id (15 characters)",
        "merchant_name": "Merchant name",
        "language": "Language (zh, en)",
        "host_address": "Address of the host, as the terminal reaches it",
    }
    for name, question in questions.items():
        fields[name] = given.get(name) or click.prompt(question)
    fields["wifi_name"] = click.prompt("Wi-Fi name")
    fields["wifi_password"] = _hidden("Wi-Fi password (empty for an open network)")
    fields["supervisor_code"] = _hidden("Supervisor code, 6 digits (empty to draw one)") or _drawn()
    check(terminal := Terminal(**fields))
    for problem in coverage.missing(terminal.merchant_name):
        click.echo(f"warning: merchant name: {problem}; a question mark will be shown instead", err=True)
    return terminal


def check(terminal: Terminal) -> None:
    """Raises BadInput, which names the first field that would not make a terminal that works, and never its value."""
    for name, (pattern, rule) in _RULES.items():
        if not re.fullmatch(pattern, getattr(terminal, name)):
            raise BadInput(rule)
    if len(terminal.wifi_name.encode()) > 32:
        raise BadInput(_RULES["wifi_name"][1])
    if len(terminal.merchant_name.encode()) > _MOST_NAME:
        raise BadInput(f"merchant name: at most {_MOST_NAME} bytes")
    if terminal.language not in ("zh", "en"):
        raise BadInput("language: zh or en")
    if not 0 < terminal.host_port < 0x10000:
        raise BadInput("host port: 1 to 65535")


def _hidden(question: str) -> str:
    return click.prompt(question, hide_input=True, confirmation_prompt=True, default="", show_default=False)


def _drawn() -> str:
    code = f"{secrets.randbelow(10**6):06d}"
    click.echo(f"Supervisor code {code}: write it down, it is kept nowhere.")
    return code


def _parameters(path: Path | None) -> dict[str, Any]:
    """The fields of Terminal that a file of parameters sets. Raises BadInput."""
    if path is None:
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        kinds = {"offline_limits": ("limits", OfflineLimits), "offline_approval": ("approval", OfflineApproval)}
        found: dict[str, Any] = {}
        for name, value in read.items():
            if name == "largest_sale":
                found[name] = int(value)
                found[name].to_bytes(6, "big")
            else:
                field, kind = kinds[name]
                found[field] = kind(**value)
                found[field].pack()
        return found
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise BadInput(f"{path}: {error}") from None


def _keys(path: Path | None) -> tuple[Entry, ...]:
    """The schemes' keys and revocations in a file. Raises BadInput."""
    if path is None:
        return ()
    try:
        found: list[Entry] = []
        for row in json.loads(path.read_text(encoding="utf-8")):
            values: dict[str, Any] = {
                name: bytes.fromhex(value) if name in _IN_HEX else value for name, value in row.items()
            }
            found.append(Revocation(**values) if "serial" in values else Authority(**values))
            found[-1].pack(bytes(16))
        return tuple(found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"{path}: {error}") from None
