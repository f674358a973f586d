# SPDX-License-Identifier: MIT
"""A real LNbits server on loopback, from .venv-lnbits, with a fresh folder. It reaches nothing outside.

Its backend is FakeWallet: invoices are paid from one of its wallets to another. Its rate of the yuan is ours (`rates`).
"""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Self

import httpx

from tools.host.network.sockets import listen

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-lnbits" / "bin" / "python"
PRICE = 700_000  # yuan for a bitcoin
_START = 90.0  # seconds; the first start makes a database of 50 migrations
_SATOSHI = 10_000_000  # of the customer


def lacking() -> str:
    """Why it cannot run here; "" if it can."""
    return "" if PYTHON.exists() else "there is no .venv-lnbits (make setup-wallets)"


class _Rates(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"price": PRICE}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class RealServer:
    """See above. `shop_key`: an invoice key. `customer_key`: an admin key of a wallet with ten million satoshi."""

    def __init__(self, folder: Path, zone: str = "Asia/Shanghai") -> None:
        self._rates = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Rates)
        threading.Thread(target=self._rates.serve_forever, args=(0.02,), daemon=True).start()
        provider = {"name": "ours", "api_url": f"http://127.0.0.1:{self._rates.server_port}/{{TO}}", "path": "$.price"}
        socket = listen("127.0.0.1", 0)
        port = socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(folder),
            "TZ": zone,  # not that of its database, so that a confusion would be seen
            "PYTHONDONTWRITEBYTECODE": "1",
            "LNBITS_DATA_FOLDER": str(folder),
            "LNBITS_EXTENSIONS_PATH": str(folder),
            "LNBITS_EXTENSIONS_DEACTIVATE_ALL": "true",
            "LNBITS_EXTENSIONS_MANIFESTS": "[]",
            "LNBITS_WASM_EXTENSIONS_MANIFESTS": "[]",
            "LNBITS_ADMIN_UI": "true",  # so that there is an administrator, who gives the customer money
            "LNBITS_BACKEND_WALLET_CLASS": "FakeWallet",
            "LNBITS_RATE_LIMIT_NO": "100000",
            "LNBITS_PRICE_AGGREGATOR_ENABLED": "false",
            "LNBITS_EXCHANGE_RATE_PROVIDERS": json.dumps([provider]),
        }
        where = next((PYTHON.parents[1] / "lib").glob("python3*/site-packages"))  # it looks for lnbits/static here
        command = [str(PYTHON), "-m", "uvicorn", "lnbits.__main__:app", "--fd", str(socket.fileno())]
        with (folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=where, env=environment, pass_fds=[socket.fileno()], stdout=log, stderr=log
            )
        socket.close()
        try:
            self._settle_in(folder)
        except BaseException:
            self.stop()
            raise

    def _settle_in(self, folder: Path) -> None:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10.0) as client:
            end = time.monotonic() + _START
            while True:
                try:
                    client.get("/api/v1/health")
                    break
                except httpx.HTTPError:
                    if self._process.poll() is not None or time.monotonic() > end:
                        raise RuntimeError((folder / "server.log").read_text(errors="replace")[-2000:]) from None
            secret = "only for this test"
            first = {"username": "administrator", "password": secret, "password_repeat": secret}
            token = client.put("/api/v1/auth/first_install", json=first).raise_for_status().json()["access_token"]
            shop, customer = (client.post("/api/v1/account", json={"name": name}).json() for name in ("shop", "guest"))
            money = {"id": customer["id"], "amount": _SATOSHI}
            allowed = {"Authorization": f"Bearer {token}"}
            client.put("/users/api/v1/balance", json=money, headers=allowed).raise_for_status()
        self.shop_key, self.customer_key = shop["inkey"], customer["adminkey"]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._rates.shutdown()
        self._rates.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
