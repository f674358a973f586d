# SPDX-License-Identifier: MIT
"""Finds those who move the money: the wallets and the card acquirer of HOME/acquirers.toml.

Instead, `[outside] gateway = "module:function"` in HOME/kassa-host.toml may name other ones: the function gets the
ledger and a clock, and returns the issuer and the wallet. With neither of them no card or code payment can be decided:
each stays open and is answered 91, and the terminal asks again.
"""

import datetime
import importlib
from collections.abc import Callable
from pathlib import Path

from tools.host import settings_file
from tools.host.acquirers import configuration
from tools.host.errors import IssuerFault, SetupError
from tools.host.keys import passphrase, secret_file
from tools.host.outside.issuer import Advice, Decision, Issuer, Payment
from tools.host.outside.wallet import Order, Return, Revocation, Wallet
from tools.host.settings_file import FILE
from tools.host.store.ledger import Ledger


class Nobody:
    """No issuer and no wallet: decides nothing."""

    async def decide(self, payment: Payment) -> Decision:
        raise IssuerFault("no acquirer is set up")

    async def tell(self, advice: Advice) -> None:
        raise IssuerFault("no acquirer is set up")

    async def undo(self, tid: str, uid: bytes) -> None:
        raise IssuerFault("no acquirer is set up")

    async def pay(self, order: Order) -> Decision:
        raise IssuerFault("no wallet is set up")

    async def give_back(self, back: Return) -> Decision:
        raise IssuerFault("no wallet is set up")

    async def revoke(self, what: Revocation) -> None:
        raise IssuerFault("no wallet is set up")

    async def tend(self) -> None:
        pass


def find(
    home: Path, ledger: Ledger, now: Callable[[], datetime.datetime], ask: passphrase.Passphrase = passphrase.find
) -> tuple[Issuer, Wallet]:
    """Issuer and wallet as the host's settings name them. `ask`: gives the passphrase of the secrets, if they have any.

    Raises SetupError if they cannot be loaded.
    """
    named, acquirers = settings_file.load(home).outside.gateway, home / configuration.FILE
    if named and acquirers.exists():
        raise SetupError(f"{home / FILE} names a gateway, and there is {acquirers}: remove one of them")
    if not named:
        if not acquirers.exists():
            return Nobody(), Nobody()
        issuer, wallets = configuration.load(home, ledger, _secrets(home, ask))
        return issuer or Nobody(), wallets
    module, _, function = named.partition(":")
    where = f"{home / FILE}: [outside] gateway {named!r}"
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise SetupError(f"{where}: {error}") from None
    try:
        issuer, wallet = make(ledger, now)
    except SetupError as error:
        raise SetupError(f"{where}: {error}") from None
    except Exception as error:  # its words may hold what an acquirer's connection keeps secret
        raise SetupError(f"{where} does not return an issuer and a wallet: {type(error).__name__}") from None
    return issuer, wallet


def _secrets(home: Path, ask: passphrase.Passphrase) -> configuration.Secret:
    """Gives the host's secrets by name. The file is opened with the first."""
    held: dict[str, bytes] = {}

    def secret(name: str) -> bytes:
        if not held:
            held.update(secret_file.read(home, ask()))
        return secret_file.named(held, name)

    return secret
