# SPDX-License-Identifier: MIT
"""Starts WeChat Pay, Alipay and LNbits on loopback, and sets them up for a host as a merchant would: acquirers.toml, secrets.

LNbits is the real server if `make setup-wallets` installed it, and else a simulated one. The host speaks HTTP and
signatures to all three; only addresses and keys differ from real ones.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tools.host import private_files
from tools.host.acquirers import configuration, orders
from tools.host.acquirers.wallets import Wallets
from tools.host.errors import SetupError
from tools.host.keys import secret_file
from tools.host.store.ledger import Ledger
from tools.sim.alipay import Alipay
from tools.sim.lnbits import LnbitsSimulator
from tools.sim.wallets import lnbits_server, saved
from tools.sim.wechat import WeChatSimulator
from tools.sim.wechat.signing import Merchant, Platform, pem, public_pem, rsa_key

LABELS = [
    ("wechat", "微信支付 WeChat"),
    ("alipay", "支付宝 Alipay"),
    ("lightning", "Lightning"),
]  # as the till lists them
RATE = 143  # satoshi for a yuan
PASSPHRASE = "passphrase"  # a file in `folder`, for kassa-host
_APP = "2021000000000000"
_KEYS = ("wechat-merchant", "wechat-platform", "alipay-app", "alipay")
_START = 100.0  # seconds
_SEED = lnbits_server.ROOT / "build" / "lnbits-seed"


class WalletServices:
    """`folder`: keys and books, kept from one run to the next. `shop`: the name that customers see.

    They start in a thread of their own; `of` waits for them. `real`: with the real LNbits server, if there is one.
    `wechat`, `alipay` and `lnbits` are there once they have started.
    """

    wechat: WeChatSimulator
    alipay: Alipay
    lnbits: LnbitsSimulator | lnbits_server.RealServer
    shop_key: str  # of LNbits
    customer_key: str

    def __init__(self, folder: Path, shop: str, real: bool = True) -> None:
        self.folder, self.shop = private_files.folder(folder), shop
        self._real = real and not lnbits_server.lacking()
        self._running = ExitStack()
        with ThreadPoolExecutor(2, "wallets") as pool:  # returns when both have started; see `start`
            started: list[Future[None]] = [pool.submit(self._start_lnbits), pool.submit(self._start_others)]
        try:
            for each in started:
                each.result(_START)
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def start(folder: Path, shop: str, real: bool = True) -> "Future[WalletServices]":
        """Start them while the caller does something else."""
        pool = ThreadPoolExecutor(1, "wallets")
        future = pool.submit(WalletServices, folder, shop, real)
        pool.shutdown(wait=False)
        return future

    def of(self, home: Path, ledger: Ledger) -> Wallets:
        """The wallets of a host: writes its acquirers.toml and its secrets, and reads them as a host does."""
        held = self._secrets()
        self._seal(home, held)
        private_files.write(home / configuration.FILE, self._table().encode())
        _, wallets = configuration.load(home, ledger, lambda name: secret_file.named(held, name))
        return wallets

    def stop(self) -> None:
        """End them. What they know is saved."""
        self._running.close()

    def _start_others(self) -> None:
        keys = {name: self._key(name) for name in _KEYS}
        self._keys = keys
        wechat = WeChatSimulator(Merchant(keys["wechat-merchant"]), Platform(keys["wechat-platform"]))
        wechat.books.now, wechat.routes.keeps_days = _now, True
        self._keep("wechat", lambda kept: saved.to_wechat(kept, wechat.books))
        wechat.on_change = self._saving("wechat", lambda: saved.of_wechat(wechat.books))
        wechat.start()
        self._running.callback(wechat.stop)
        alipay = Alipay(_APP, keys["alipay-app"].public_key(), keys["alipay"], _now)
        alipay.keeps_days = True
        self._keep("alipay", lambda kept: saved.to_alipay(kept, alipay.books))
        alipay.on_change = self._saving("alipay", lambda: saved.of_alipay(alipay.books))
        self._running.enter_context(alipay)
        self.wechat, self.alipay = wechat, alipay

    def _start_lnbits(self) -> None:
        if self._real:
            server = lnbits_server.RealServer(self.folder / "lnbits", seed=_SEED)
            real = self._running.enter_context(server)
            self.lnbits, self.shop_key, self.customer_key = real, real.shop_key, real.customer_key
            return
        simulator = LnbitsSimulator()
        simulator.rate = RATE
        self._keep("lnbits", lambda kept: saved.to_lnbits(kept, simulator))
        simulator.on_change = self._saving("lnbits", lambda: saved.of_lnbits(simulator))
        simulator.on_change()  # its keys
        self.lnbits = self._running.enter_context(simulator)
        self.shop_key, self.customer_key = simulator.shop.invoice_key, simulator.customer.admin_key

    def _keep(self, name: str, take: Callable[[Any], None]) -> None:
        """Take over the books of an earlier run."""
        path = self.folder / f"{name}.json"
        try:
            if path.exists():
                take(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError):
            raise SetupError(
                f"{path}: not the books of a simulated wallet; make run with --fresh starts anew"
            ) from None

    def _saving(self, name: str, look: Callable[[], Any]) -> Callable[[], None]:
        """What saves the books of a wallet, before its answer leaves."""

        def save() -> None:
            private_files.write(self.folder / f"{name}.json", json.dumps(look(), ensure_ascii=False).encode())

        return save

    def _key(self, name: str) -> rsa.RSAPrivateKey:
        path = self.folder / f"{name}.pem"
        if not path.exists():
            private_files.write(path, pem(rsa_key()))
        key = load_pem_private_key(private_files.read_secret(path), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    def _secrets(self) -> dict[str, bytes]:
        """What a merchant puts into secrets.sealed, by name."""
        return {
            "wechat-key": pem(self._keys["wechat-merchant"]),
            "wechat-v3": self.wechat.merchant.api_key.encode(),
            "wechat-platform": public_pem(self._keys["wechat-platform"]),
            "alipay-app-key": pem(self._keys["alipay-app"]),
            "alipay-key": public_pem(self._keys["alipay"]),
            "lnbits-key": self.shop_key.encode(),
        }

    def _seal(self, home: Path, held: Mapping[str, bytes]) -> None:
        """Write secrets.sealed for kassa-host, if they changed: it takes a while. Its passphrase is no secret here."""
        mark, is_ = self.folder / "sealed", hashlib.sha256(repr(sorted(held.items())).encode()).hexdigest()
        if not (home / secret_file.NAME).exists() or not mark.exists() or mark.read_text() != is_:
            private_files.write(self.folder / PASSPHRASE, b"simulated wallets\n")
            secret_file.write(home, held, "simulated wallets")
            private_files.write(mark, is_.encode())

    def _table(self) -> str:
        """acquirers.toml."""
        merchant, platform = self.wechat.merchant, self.wechat.platform
        shop = re.sub(r"[^ -~\u4e00-\u9fff]|[/=&\"\\]", "", self.shop)[:40] or "Kassa"  # what all three can say
        tables = [
            {
                "name": "wechat", "kind": "wechat", "fee": 60, "url": self.wechat.url,
                "merchant": merchant.number, "app_id": merchant.app, "serial": merchant.serial,
                "private_key": "wechat-key", "api_v3_key": "wechat-v3",
                "public_key": "wechat-platform", "public_key_id": platform.public_id,
                "notify_url": "https://shop.example/wechat", "store": "KASSA001", "description": shop,
            },
            {
                "name": "alipay", "kind": "alipay", "fee": 60,
                "gateway": f"{self.alipay.address}/gateway.do", "bills": self.alipay.address,
                "app_id": _APP, "private_key": "alipay-app-key", "alipay_public_key": "alipay-key", "subject": shop,
            },
            {
                "name": "lightning", "kind": "lnbits", "url": self.lnbits.url, "key": "lnbits-key",
                "unit": "sat", "rate": str(RATE), "memo": shop,
            },
        ]  # fmt: skip
        lines = ["# Simulated wallets on this machine. Written anew at each start, because their ports change."]
        for table in tables:
            lines += ["", "[[wallet]]", *(f"{name} = {json.dumps(value)}" for name, value in table.items())]
        return "\n".join(lines) + "\n"


def _now() -> int:
    """ms; the host's own clock, which a test may set forward."""
    return orders.now()
