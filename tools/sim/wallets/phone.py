# SPDX-License-Identifier: MIT
"""A customer's phone with the apps of three wallets: shows payment codes, scans the till's, confirms, refuses.

What it does goes into the books of the wallets, as if the customer had done it; the host hears of it from them alone.
"""

from tools.sim.wallets.app import App, Item, PhoneError
from tools.sim.wallets.apps import Alipay, WeChat
from tools.sim.wallets.lightning_app import Lightning
from tools.sim.wallets.services import WalletServices


class Phone:
    """`apps`: by the name of the wallet, as the till and acquirers.toml know it. Thread-safe."""

    def __init__(self, services: WalletServices) -> None:
        self.shop = services.shop
        self.apps: dict[str, App] = {
            "wechat": WeChat(services),
            "alipay": Alipay(services),
            "lightning": Lightning(services),
        }

    def scan(self, text: str) -> tuple[str, str]:
        """Scan the till's code. Returns wallet and id of the payment. Raises PhoneError."""
        for name, app in self.apps.items():
            payment = app.scan(text)
            if payment is not None:
                return name, payment
        raise PhoneError("no wallet here knows this code")

    def items(self) -> list[Item]:
        """All payments, newest first."""
        return sorted((item for app in self.apps.values() for item in app.items()), key=lambda item: -item.at)

    def close(self) -> None:
        for app in self.apps.values():
            app.close()
