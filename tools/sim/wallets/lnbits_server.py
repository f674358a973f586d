# SPDX-License-Identifier: MIT
"""A real LNbits server on loopback, from .venv-lnbits (make setup-wallets), in a folder of its own. Reaches nothing outside.

Its backend is FakeWallet: invoices are paid from one of its wallets to another. Its rate of the yuan is ours (`rates`).
"""

import http.server
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Self

import httpx

from tools.host import private_files
from tools.host.network.sockets import listen

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-lnbits" / "bin" / "python"
PRICE = 700_000  # yuan for a bitcoin
_KEYS, _DATABASE = "wallet-keys.json", "database.sqlite3"
_FILES = (".lnbits_auth_key", ".super_user", _KEYS)
_START = 90.0  # seconds; the first start makes a database of 50 migrations
_SATOSHI = 10_000_000  # of the customer
# It ends with whoever started it, however that ends: then its standard input is closed.
_RUN = """
import os, sys, threading, uvicorn
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
uvicorn.run("lnbits.__main__:app", fd=int(sys.argv[1]))
"""


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

    def log_message(self, format: str, *args: object) -> None: ...


class RealServer:
    """See above. `shop_key`: an invoice key. `customer_key`: an admin key of a wallet with ten million satoshi.

    A folder that was used before has the same wallets again, and the keys are known at once; the server itself may take
    seconds longer. What is sent to it meanwhile waits. `seed`: a folder where the first start leaves a copy of what it made,
    so that a later new folder need not wait for it. Raises RuntimeError if it does not start.
    """

    def __init__(self, folder: Path, zone: str = "Asia/Shanghai", seed: Path | None = None) -> None:
        self._rates = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Rates)
        threading.Thread(target=self._rates.serve_forever, args=(0.02,), daemon=True).start()
        provider = {"name": "ours", "api_url": f"http://127.0.0.1:{self._rates.server_port}/{{TO}}", "path": "$.price"}
        socket = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        private_files.folder(folder)
        if seed and seed.exists() and not (folder / _KEYS).exists():
            shutil.copytree(seed, folder, dirs_exist_ok=True)
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
        command, fd = [str(PYTHON), "-c", _RUN], socket.fileno()
        with (folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, str(fd)],
                cwd=where, env=environment, pass_fds=[fd], stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started it
            )  # fmt: skip
        socket.close()
        try:
            known = self._known(folder)
            self.shop_key, self.customer_key = known or self._settle_in(folder)
            if seed and not known:
                _leave(folder, seed)
        except BaseException:
            self.stop()
            raise

    def _known(self, folder: Path) -> tuple[str, str] | None:
        """The keys of the wallets that an earlier run made."""
        if not (folder / _KEYS).exists():
            return None
        keys = json.loads(private_files.read_secret(folder / _KEYS))
        return keys["shop"], keys["customer"]

    def _settle_in(self, folder: Path) -> tuple[str, str]:
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
        found = {"shop": shop["inkey"], "customer": customer["adminkey"]}
        private_files.write(folder / _KEYS, json.dumps(found).encode())
        return found["shop"], found["customer"]

    def hold(self, still: bool) -> None:
        """Stop answering, without ending; or go on."""
        self._process.send_signal(signal.SIGSTOP if still else signal.SIGCONT)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        if self._process.stdin:
            self._process.stdin.close()
        self._rates.shutdown()
        self._rates.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _leave(folder: Path, seed: Path) -> None:
    """Copy a new folder of a running server to `seed`, whole or not at all."""
    made = private_files.folder(seed.with_name(f"{seed.name}.{os.getpid()}"))
    for name in _FILES:
        if (folder / name).exists():
            shutil.copy2(folder / name, made / name)
    with closing(sqlite3.connect(folder / _DATABASE)) as whole, closing(sqlite3.connect(made / _DATABASE)) as copy:
        whole.backup(copy)
    try:
        made.rename(seed)
    except OSError:  # somebody else was faster
        shutil.rmtree(made)
