# SPDX-License-Identifier: MIT
"""The debug link: controls a world over loopback TCP, one JSON object per line.

`python -m tools.world.link --home DIR` prints its port. A request names a call and its arguments:
{"id": 7, "do": "press", "keys": "1200E"}. The answer repeats the id: {"id": 7, "result": null}, or
{"id": 7, "error": "..."}, whose text includes the screen and the console. Calls and arguments are those of `World`.
Cards are named as in tools.cards.catalogue; pictures are base64. The link is part of the world, never of the firmware.
"""

import base64
import json
import socketserver
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tools.host.folder_lock import Taken, claim
from tools.world import interpreter
from tools.world.power import FIRMWARE
from tools.world.world import World

Call = Callable[..., Any]


def calls(world: World) -> dict[str, Call]:
    """Every call of the link, by name."""

    def place(card: str) -> None:
        from tools.cards.catalogue import make

        world.place(make(card))

    def radio(state: str | None = None, delay_ms: int | None = None, fault: str | None = None) -> dict[str, Any]:
        if delay_ms is not None:
            world.radio.delay_ms = delay_ms
        if state is not None:
            world.radio.state = state
        if fault is not None:
            world.radio.fault = fault
        air = world.radio
        return {"state": air.state, "delay_ms": air.delay_ms, "bytes_up": air.bytes_up, "bytes_down": air.bytes_down}

    return {
        "power_on": world.power_on,
        "power_off": world.power_off,
        "cut_at": world.cut_at,
        "wait_off": world.wait_off,
        "on": lambda: world.on,
        "press": world.press,
        "hold": world.hold,
        "release": world.release,
        "place": place,
        "remove": world.remove,
        "scan": world.scan,
        "screen_text": world.screen_text,
        "screen_png": lambda: base64.b64encode(world.screen_png()).decode(),
        "wait_screen": world.wait_screen,
        "receipts": lambda: [receipt.text() for receipt in world.receipts],
        "beeps": lambda: world.beeps,
        "light": lambda: world.light,
        "brightness": lambda: world.brightness,
        "console": lambda: world.console,
        "radio": radio,
        "cut_after": world.radio.cut_after,
        "now": lambda: world.now,
        "run_for": world.run_for,
        "leap": world.leap,
        "heap": lambda: world.heap()._asdict(),
        "flash_ops": lambda: asdict(world.flash_ops),
    }


class Link(socketserver.ThreadingTCPServer):
    """Serves `world` on loopback `port` (0 = any free port), one thread per client."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, world: World, port: int = 0) -> None:
        self.calls = calls(world)
        super().__init__(("127.0.0.1", port), _Client)
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, name="link", daemon=True)

    def __enter__(self) -> "Link":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Client(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Answer line by line. Hang up on anything but a JSON object: a web page would start with HTTP."""
        for line in self.rfile:
            try:
                request = json.loads(line)
            except ValueError:
                return
            if not isinstance(request, dict):
                return
            self.wfile.write(json.dumps(self._answer(request), ensure_ascii=False).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        number = None
        try:
            number = request.pop("id", None)
            name = request.pop("do")
            return {"id": number, "result": self.server.calls[name](**request)}  # type: ignore[attr-defined]
        except Exception as error:  # every error goes to the client
            return {"id": number, "error": f"{type(error).__name__}: {error}"}


@click.command()
@click.option(
    "--home", type=click.Path(path_type=Path), required=True, help="folder for the terminal's flash, fuses and console"
)
@click.option("--port", default=0, help="port of the link (0 = any free port)")
@click.option("--host-port", type=int, help="port of the settlement host on this machine")
@click.option("--speed", type=click.Choice(["jump", "real"]), default="jump", help="may the terminal's time jump?")
@click.option("--firmware", type=click.Path(path_type=Path, exists=True), default=FIRMWARE, help="folder or image")
@click.option("--heap", help='heap limit of the terminal, such as "96k"')
def main(home: Path, port: int, host_port: int | None, speed: str, firmware: Path, heap: str | None) -> None:
    """Serve a world until interrupted. The terminal is off at first."""
    interpreter.require()
    micropython = interpreter.micropython()
    try:
        with (
            claim(home),
            World(home, host_port=host_port, speed=speed, micropython=micropython, heap=heap, source=firmware) as world,
            Link(world, port) as link,
        ):
            print(link.port, flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    except Taken as taken:
        raise click.ClickException(str(taken)) from None


if __name__ == "__main__":
    main()
