# SPDX-License-Identifier: MIT
"""kassa-host, the settlement host's command: python -m tools.host COMMAND. One module of commands/ a command."""

import importlib
import os

import click

_COMMANDS = {
    "acquirer": "acquirer",
    "audit": "audit",
    "backup": "backup",
    "bills": "bills",
    "block": "block",
    "ca": "ca",
    "clear": "clear",
    "close-batch": "close_batch",
    "differences": "differences",
    "dispute": "dispute",
    "held": "held",
    "init": "init",
    "keys": "keys",
    "merchants": "merchants",
    "outbox": "outbox",
    "payout": "payout",
    "publish": "publish",
    "reconcile": "reconcile",
    "restore": "restore",
    "run": "run",
    "secrets": "secrets",
    "settle": "settle",
    "terminals": "terminals",
    "unblock": "unblock",
    "users": "users",
}  # command -> module of commands/, imported when it is used


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        return importlib.import_module(f"tools.host.commands.{module}").main if module else None


@click.command(cls=_Commands, help="The settlement host of Kassa.")
def main() -> None:
    os.umask(0o077)  # whatever it writes is for this account only


if __name__ == "__main__":
    main(prog_name="kassa-host")
