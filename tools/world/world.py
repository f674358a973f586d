# SPDX-License-Identifier: MIT
"""`World`: the surroundings of one terminal (power, keys, cards, printer, network) for tests, demo and panel."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boards.unix import wiring
from tools.world.chips import Chips
from tools.world.flash import FlashOps, fill_in
from tools.world.mainboard import Heap, Mainboard
from tools.world.pace import NEVER, Pace
from tools.world.power import FIRMWARE, Power
from tools.world.wifi_radio import Radio

_CONSOLE_TAIL = 25  # console lines quoted in an error message


class WorldError(AssertionError):
    """A wait timed out, or the terminal printed a traceback or ended. The message quotes the screen and the console."""


class World:
    """One terminal and its surroundings.

    `home` holds flash.bin, efuse.bin and console.log, which survive power cycles. `host_port` is the settlement host's
    port on this machine. With `speed` "jump", the terminal's time jumps ahead while a call waits (`wait_screen`,
    `wait`, `run_for`) and otherwise runs in real time; with "real" it never jumps. `heap` limits the terminal's heap,
    such as "96k". `source` is the firmware: a folder with main.py, or a romfs image. `overlay`: see Power. `power` makes
    another power supply from `home` and the bus's port.

    Time-outs are in real seconds, times the slowness of the power supply. Calls are thread-safe. A call raises WorldError
    if the terminal has printed a traceback since the previous call.
    """

    def __init__(
        self,
        home: Path,
        *,
        host_port: int | None = None,
        speed: str = "jump",
        micropython: str,
        heap: str | None = None,
        source: Path = FIRMWARE,
        overlay: Path | None = None,
        power: Callable[[Path, int], Power] | None = None,
    ) -> None:
        if speed not in ("jump", "real"):
            raise ValueError(speed)
        self.home = home.resolve()
        mac = fill_in(self.home)
        self.radio = Radio(host_port)
        self._pace = Pace(speed == "jump", self.radio.busy)
        self._lock = self._pace.lock
        self.board = Mainboard(self._pace, self.radio, mac)
        self.chips: Chips = self.board.chips
        port = self.board.bus.port
        self._power = (
            power(self.home, port) if power else Power(self.home, micropython, source.resolve(), heap, port, overlay)
        )
        self.board.power = self._power
        self._closed = False
        self._read: tuple[int, list[str]] = (-1, [])  # (bytes written to the display, its text then)

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Power off and release everything. Raises WorldError for a traceback that was not reported yet."""
        if self._closed:
            return
        self._closed = True
        with self._lock:
            self._power.kill()
        self.board.close()
        self.radio.close()
        self._check()

    # Power and flash.

    def power_on(self) -> None:
        """Plug in. Returns at once; call `wait_screen` to wait for the boot."""
        self._check()
        with self._lock:
            self.board.power_on(wiring.POWER_ON)

    def power_off(self) -> None:
        """Pull the plug."""
        with self._lock:
            self.board.power_off()
        self._check()

    @property
    def on(self) -> bool:
        """Whether the terminal has power and its process is alive."""
        return self._power.running

    @property
    def slow(self) -> bool:
        """Whether the terminal takes longer than usual for everything, as an emulated chip does."""
        return self._power.slowness > 1

    @property
    def pid(self) -> int | None:
        """The process id of the firmware, None without power. Cards, printer and host run in other processes."""
        return self._power.pid

    def cut_at(self, operation: int, tear: str = "none", seed: int = 1) -> None:
        """Cut the power inside the `operation`-th flash program or erase from now; `tear` as in flashchip.FlashChip.

        If the power is off, the count starts at power-on.
        """
        with self._lock:
            self.board.request_cut(operation, tear, seed)

    def wait_off(self, timeout: float = 10.0) -> None:
        """Wait until the power is gone (the cut happened) or the firmware has ended by itself."""
        self.wait(lambda: not self.on, "the power to go", timeout)

    @property
    def flash_ops(self) -> FlashOps:
        """Counts of the flash operations since this world was created, over all power cycles."""
        return self.board.flash_ops

    @property
    def resets(self) -> list[int]:
        """The cause of each reset so far, numbered as in wiring.py."""
        return self.board.resets

    # Input: keys, cards, barcodes.

    def press(self, keys: str) -> None:
        """Press the keys one by one: `0`-`9`, `E` enter, `C` cancel, `B` back, `U` up, `D` down, `M` menu."""
        self._check()
        with self._lock:
            for key in keys:
                self.chips.keys.press(key)

    def hold(self, key: str) -> None:
        with self._lock:
            self.chips.keys.hold(key)

    def release(self, key: str) -> None:
        with self._lock:
            self.chips.keys.release(key)

    def place(self, card: Any) -> None:
        """Put a card of tools.cards on the reader."""
        self._check()
        with self._lock:
            self.chips.field.place(card)

    def remove(self) -> None:
        """Take every card off the reader, even in the middle of a transaction."""
        with self._lock:
            self.chips.field.remove()

    def scan(self, code: str) -> None:
        """Scan a barcode."""
        with self._lock:
            self.chips.scanner.scan(code)

    # Output: screen, receipts, console.

    def screen_text(self) -> list[str]:
        """The lines of text on the display, recognised from its pixels."""
        with self._lock:
            written = self.chips.display_writes()
            if self._read[0] != written:
                self._read = (written, self.chips.read_screen())
            return self._read[1]

    def screen_png(self) -> bytes:
        with self._lock:
            return self.chips.display.png()

    @property
    def receipts(self) -> list[Any]:
        """The receipts printed so far, in order."""
        with self._lock:
            return self.chips.printer.receipts

    @property
    def beeps(self) -> list[str]:
        """The beeps heard so far, see tools.world.chips.Buzzer."""
        with self._lock:
            self.chips.buzzer.tick(self.board.now)
            return list(self.chips.buzzer.beeps)

    @property
    def light(self) -> str:
        """What the light for the terminal's state does, see tools.world.lights.Light."""
        with self._lock:
            return self.chips.light.seen(self.board.now)

    @property
    def brightness(self) -> int:
        """How bright the display's backlight is, in percent; 0 = dark."""
        return self.chips.backlight.percent

    @property
    def console(self) -> str:
        """Everything the terminal has printed on its console, over all power cycles."""
        return self._power.console()

    # Time.

    @property
    def now(self) -> int:
        """Virtual ms since the last power-on or reset."""
        return self.board.now

    def wait(self, ready: Callable[[], bool], what: str, timeout: float = 10.0) -> None:
        """Let time run until `ready()`, checked whenever the terminal idles. Raises WorldError after `timeout`."""
        self._check()
        if not self._wait(ready, timeout, what):
            raise WorldError(f"waited {timeout:g} s for {what}\n{self._scene()}")
        self._check()

    def _wait(self, ready: Callable[[], bool], timeout: float, what: str, until: int = NEVER) -> bool:
        return self._pace.wait(ready, timeout * self._power.slowness, lambda: self._alarm(what), until)

    def wait_screen(self, text: str, timeout: float = 10.0) -> list[str]:
        """Let time run until a line of the screen contains `text`. Returns the screen's lines."""
        self.wait(lambda: any(text in line for line in self.screen_text()), f"{text!r} on the screen", timeout)
        return self.screen_text()

    def run_for(self, ms: int, timeout: float = 30.0) -> None:
        """Let `ms` of the terminal's time pass."""
        self._check()
        end = self.now + ms
        if not self._pace.wait(
            lambda: self.now >= end, timeout * self._power.slowness, lambda: self._alarm("time to pass"), end
        ):
            raise WorldError(f"waited {timeout:g} s for {ms} ms to pass\n{self._scene()}")
        self._check()

    def leap(self, ms: int) -> None:
        """Advance the terminal's ticks by `ms`, as if it had been frozen (32-bit ports: under 2**28 ms in total)."""
        with self._lock:
            self.board.request_leap(ms)
        self.wait(lambda: not self.board.leap_pending, "the leap in time")

    def heap(self) -> Heap:
        """Make the terminal collect garbage, and return its heap use before and after."""
        with self._lock:
            self.board.request_heap()
        self.wait(lambda: self.board.heap is not None, "a heap report")
        assert self.board.heap is not None
        return self.board.heap

    # Errors.

    def _check(self) -> None:
        if self.board.bus.error:
            raise WorldError("the world broke") from self.board.bus.error
        traceback = self._power.fresh_traceback()
        if traceback:
            time.sleep(0.05)  # let the terminal print the rest of it
            raise WorldError(f"the terminal printed a traceback\n{self._scene()}")

    def _alarm(self, what: str) -> None:
        self._check()
        if not self.on and self._power.exit_code is not None and what != "the power to go":
            raise WorldError(f"the firmware ended ({self._power.exit_code}) while waiting for {what}\n{self._scene()}")

    def _scene(self) -> str:
        console = "\n".join(self.console.splitlines()[-_CONSOLE_TAIL:])
        return "--- screen\n" + "\n".join(self.screen_text()) + "\n--- console\n" + console
