# SPDX-License-Identifier: MIT
"""`World`: everything around one terminal - power, keys, cards, paper, air - for tests, the demo and the panel."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boards.unix import wiring
from tools.world.chips import Chips
from tools.world.flash import FlashOps, fill_in
from tools.world.mainboard import Heap, Mainboard
from tools.world.pace import Pace
from tools.world.power import FIRMWARE, Power
from tools.world.radio import Radio

_CONSOLE_TAIL = 25  # lines of the console in an error's message


class WorldError(AssertionError):
    """What was waited for did not come, or the terminal printed a traceback or ended. Tells screen and console."""


class World:
    """One terminal and its surroundings. `home` keeps flash.bin, efuse.bin and console.log from one life to the next.

    `speed`: "jump" lets the terminal's time jump while somebody waits (`wait_screen`, `wait`, `run_for`), and pass as
    ours in between; "real" never jumps. `host_port` is the settlement host's on this machine. `source` is the
    firmware: a folder with main.py, or a romfs image; `heap` limits the terminal's heap, such as "96k"; `overlay` is
    Power's. Time-outs are real seconds. Calls are thread-safe, and raise WorldError when the terminal has printed a
    traceback since the last.
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
        self._power = Power(self.home, micropython, source.resolve(), heap, self.board.bus.port, overlay)
        self.board.power = self._power
        self._closed = False
        self._read: tuple[int, list[str]] = (-1, [])  # what the display showed, at so many bytes written to it

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Power off and leave nothing behind. Raises WorldError for a traceback nobody saw yet."""
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
        """Plug in. Returns at once; wait for the screen to know more."""
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
        """Has the terminal power, and does its process live?"""
        return self._power.running

    @property
    def pid(self) -> int | None:
        """The firmware's process, None without power: cards, paper and the host live in other ones."""
        return self._power.pid

    def cut_at(self, operation: int, tear: str = "none", seed: int = 1) -> None:
        """Let power die inside the `operation`-th flash program or erase from now; `tear` as in flashchip.FlashChip.

        Said while the power is off, it counts from power-on.
        """
        with self._lock:
            self.board.order_cut(operation, tear, seed)

    def wait_off(self, timeout: float = 10.0) -> None:
        """Wait until the power is gone (a cut was met) or the firmware has ended by itself."""
        self.wait(lambda: not self.on, "the power to go", timeout)

    @property
    def flash_ops(self) -> FlashOps:
        """Counters of the flash operations of all the terminal's lives in this world."""
        return self.board.flash_ops

    @property
    def resets(self) -> list[int]:
        """Causes of the resets so far, numbered as in wiring.py."""
        return self.board.resets

    # Hands: keys, cards, codes.

    def press(self, keys: str) -> None:
        """Press one key after the other: `0`-`9`, `E` enter, `C` cancel, `B` back, `U` up, `D` down, `M` menu."""
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
        """Lay a card of tools.cards on the reader."""
        self._check()
        with self._lock:
            self.chips.field.place(card)

    def remove(self) -> None:
        """Take every card off the reader, in the middle of whatever they do."""
        with self._lock:
            self.chips.field.remove()

    def scan(self, code: str) -> None:
        """Scan a code."""
        with self._lock:
            self.chips.scanner.scan(code)

    # Eyes: screen, paper, console.

    def screen_text(self) -> list[str]:
        """The lines of text on the display, read off its pixels."""
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
    def console(self) -> str:
        """Everything the terminal printed on its console, in all its lives."""
        return self._power.console()

    # Time.

    @property
    def now(self) -> int:
        """Virtual ms since the last power-on or reset."""
        return self.board.now

    def wait(self, ready: Callable[[], bool], what: str, timeout: float = 10.0) -> None:
        """Let time run until `ready()`, looked at whenever the terminal idles. Raises WorldError after `timeout`."""
        self._check()
        if not self._pace.wait(ready, timeout, lambda: self._alarm(what)):
            raise WorldError(f"waited {timeout:g} s for {what}\n{self._scene()}")
        self._check()

    def wait_screen(self, text: str, timeout: float = 10.0) -> list[str]:
        """Let time run until a line of the screen holds `text`. Returns the screen's lines."""
        self.wait(lambda: any(text in line for line in self.screen_text()), f"{text!r} on the screen", timeout)
        return self.screen_text()

    def run_for(self, ms: int, timeout: float = 30.0) -> None:
        """Let `ms` of the terminal's time pass."""
        self._check()
        end = self.now + ms
        if not self._pace.wait(lambda: self.now >= end, timeout, lambda: self._alarm("time to pass"), end):
            raise WorldError(f"waited {timeout:g} s for {ms} ms to pass\n{self._scene()}")
        self._check()

    def leap(self, ms: int) -> None:
        """Move the terminal's ticks ahead, as if it had been frozen so long (less than 2**28 ms in all in 32 bits)."""
        with self._lock:
            self.board.order_leap(ms)
        self.wait(lambda: not self.board.leap_pending, "the leap in time")

    def heap(self) -> Heap:
        """How much heap the terminal uses: before and after a collection, which this asks for."""
        with self._lock:
            self.board.order_heap()
        self.wait(lambda: self.board.heap is not None, "a heap report")
        assert self.board.heap is not None
        return self.board.heap

    # What went wrong.

    def _check(self) -> None:
        if self.board.bus.error:
            raise WorldError("the world broke") from self.board.bus.error
        traceback = self._power.fresh_traceback()
        if traceback:
            time.sleep(0.05)  # the rest of it is being printed
            raise WorldError(f"the terminal printed a traceback\n{self._scene()}")

    def _alarm(self, what: str) -> None:
        self._check()
        if not self.on and self._power.exit_code is not None and what != "the power to go":
            raise WorldError(f"the firmware ended ({self._power.exit_code}) while waiting for {what}\n{self._scene()}")

    def _scene(self) -> str:
        console = "\n".join(self.console.splitlines()[-_CONSOLE_TAIL:])
        return "--- screen\n" + "\n".join(self.screen_text()) + "\n--- console\n" + console
