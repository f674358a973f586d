# SPDX-License-Identifier: MIT
"""A headless Chromium driven over its DevTools protocol, without any driver package."""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import connect

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--hide-scrollbars",
)  # fmt: skip
_START_S = 30.0


def find() -> str | None:
    """The browser's path: $CHROMIUM, or the first one installed."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


class Chromium:
    """One page. Script errors are collected in `errors`."""

    def __init__(self, path: str, address: str, width: int = 1440, height: int = 1000) -> None:
        self._profile = tempfile.mkdtemp(prefix="kassa-chromium-")
        command = [path, *_FLAGS, f"--window-size={width},{height}", f"--user-data-dir={self._profile}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._numbers = itertools.count(1)
        self.errors: list[str] = []
        self._session = ""
        self._stack = ExitStack()
        try:
            browser = connect(self._target(), max_size=None, proxy=None, close_timeout=1, ping_interval=None)
            self._link = self._stack.enter_context(browser)
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Runtime", "Page", "Log"):
                self.call(f"{domain}.enable")
            self.resize(width, height)
            self.call("Page.navigate", url=address)
        except BaseException:
            self._process.kill()
            raise

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._stack.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one protocol command; returns its result. Raises RuntimeError."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._link.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._link.recv(60))
            self._note(answer)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def js(self, expression: str) -> Any:
        """Evaluate an expression in the page. Raises RuntimeError if it throws."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression: str, timeout: float = 20.0) -> None:
        """Wait until an expression is true in the page. Raises AssertionError with the page's text."""
        end = time.monotonic() + timeout
        while not self._holds(expression):
            if time.monotonic() > end:
                shown = self.js("document.body.innerText")
                raise AssertionError(f"waited {timeout:g} s for {expression}\n{self.errors}\n{shown}")
            time.sleep(0.05)

    def _holds(self, expression: str) -> bool:
        """Whether an expression is true; False also while the page changes."""
        try:
            return bool(self.js(f"(() => {{ try {{ return !!({expression}) }} catch {{ return false }} }})()"))
        except RuntimeError as error:
            if "navigated" in str(error):
                return False
            raise

    def click(self, selector: str, x: float = 0.5, y: float = 0.5) -> None:
        """Scroll an element into view and click it at (x, y), as fractions of its size."""
        script = (
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'nearest'}});"
            f" const b = e.getBoundingClientRect(); return [b.left + b.width * {x}, b.top + b.height * {y}]; }})()"
        )
        left, top = self.js(script)
        self.mouse("mousePressed", left, top)
        self.mouse("mouseReleased", left, top)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Send one mouse event with the left button."""
        pressed = 0 if kind == "mouseReleased" else 1
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=pressed, clickCount=1)

    def key(self, key: str) -> None:
        """Press one key, by its DOM name."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        """Set the window's inner size, and the device pixels per CSS pixel."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def _target(self) -> str:
        """The address of the browser's websocket, once it is known."""
        file = Path(self._profile) / "DevToolsActivePort"
        end = time.monotonic() + _START_S
        while not file.exists() or len(file.read_text().splitlines()) < 2:
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError("Chromium did not start")
            time.sleep(0.05)
        port, where = file.read_text().splitlines()[:2]
        return f"ws://127.0.0.1:{port}{where}"

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.errors.append(message["params"]["entry"]["text"])
