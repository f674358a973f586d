# SPDX-License-Identifier: MIT
"""Reads HOME/acquirers.toml: the wallets and the card acquirer of a host. docs/wallets.md has every key.

[[wallet]]
name = "wechat"           # also the name under which the till picks it
kind = "wechat"           # wechat, alipay or lnbits: which keys follow
merchants = ["898000000000001"]  # whose it is; without it everybody's
fee = 60                  # basis points that the provider keeps
app_id = "wx8888888888888888"
private_key = "wechat-key"  # the name of a secret: kassa-host secrets

[[code]]                  # optional; replaces the table of codes.py
kind = "wechat"
first = "10"
last = "15"
least = 18
most = 18
"""

import importlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.host.acquirers import codes
from tools.host.acquirers.provider import Provider
from tools.host.acquirers.section import Section
from tools.host.acquirers.wallets import Wallet, Wallets
from tools.host.errors import SetupError
from tools.host.outside.issuer import Issuer
from tools.host.store.ledger import Ledger

FILE = "acquirers.toml"
_KINDS = {"wechat": "wechat", "alipay": "alipay", "lnbits": "lightning"}  # kind -> module with `create`
_NAME, _MERCHANT = "[a-z0-9-]{1,20}", "[0-9A-Za-z ]{15}"

Secret = Callable[[str], bytes]  # raises KeyMissing
Create = Callable[[Section], Provider]


def load(home: Path, ledger: Ledger, secret: Secret) -> tuple[Issuer | None, Wallets]:
    """The card acquirer, if there is one, and the wallets. Raises SetupError, which names what is wrong."""
    path = home / FILE
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        for name, tables in found.items():
            wanted = {"wallet": list, "code": list, "card": dict}.get(name)
            if wanted is None or not isinstance(tables, wanted):
                raise SetupError(f"{name!r} is unknown: [[wallet]], [[code]] or [card]")
        wallets = [_wallet(number, each, secret) for number, each in enumerate(found.get("wallet", ()), 1)]
        twice = next((one.name for one in wallets if [each.name for each in wallets].count(one.name) > 1), None)
        if twice:
            raise SetupError(f"two wallets are called {twice}")
        forms = [_form(number, each) for number, each in enumerate(found.get("code", ()), 1)] or codes.DEFAULTS
        return _card(found.get("card"), ledger, secret), Wallets(ledger, wallets, forms)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path}: not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: {error}") from None
    except SetupError as error:
        raise SetupError(f"{path}: {error}") from None


def _wallet(number: int, values: Any, secret: Secret) -> Wallet:
    section = Section(f"[[wallet]] {number}", values if isinstance(values, dict) else {}, secret)
    kind = section.text("kind")
    if kind not in _KINDS:
        raise section.wrong("kind", "one of " + ", ".join(_KINDS) + " is wanted")
    create: Create = importlib.import_module(f"tools.host.acquirers.{_KINDS[kind]}").create
    wallet = Wallet(
        section.text("name", kind, _NAME, "a name of a to z, 0 to 9 and -"),
        kind,
        create(section),
        frozenset(section.texts("merchants", _MERCHANT, "merchant numbers (DE 42)")),
        section.whole("fee", 0, most=10_000),
        section.yes("shows", True),
    )
    section.done()
    return wallet


def _form(number: int, values: Any) -> codes.Form:
    section = Section(f"[[code]] {number}", values if isinstance(values, dict) else {}, _no_secret)
    first = section.text("first", form="[0-9]{1,8}", means="digits")
    last = section.text("last", form=f"[0-9]{{{len(first)}}}", means=f"{len(first)} digits")
    least = section.whole("least", least=1, most=64)
    form = codes.Form(section.text("kind"), first, last, least, section.whole("most", least=least, most=64))
    section.done()
    return form


def _card(values: Any, ledger: Ledger, secret: Secret) -> Issuer | None:
    if values is None:
        return None
    section = Section("[card]", values, secret)
    issuer = importlib.import_module("tools.host.acquirers.card").create(section, ledger)
    section.done()
    return issuer


def _no_secret(_: str) -> bytes:
    raise AssertionError("a table of codes has no secret")
