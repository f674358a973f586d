# SPDX-License-Identifier: MIT
"""The stage of the plays: a shop with its terminal, host and cards, the same in every run.

The wall clock stands still, and what the screen shows of random bytes is always the same.
"""

import datetime
import re
from pathlib import Path
from typing import Any

from tools import menu_keys
from tools.cards import catalogue
from tools.cards.card import Card
from tools.cashier import CODE
from tools.fonts.build import table
from tools.host.tables import publication, terminal_settings
from tools.provision.device import Terminal
from tools.scenes import certificates
from tools.scenes.picture import Box, Picture, changing, compact, moving, pattern
from tools.sim.wallets.services import LABELS
from tools.whole_system import WholeSystem
from tools.world.world import WorldError

LANGUAGES = ("en", "zh")
NOW = datetime.datetime(2026, 11, 28, 10, 24)
_SOURCE = Path(__file__).parent / "still"
_NAMES = {"en": "Sunshine Corner Store", "zh": "阳光便利店"}
_PATIENCE_S = 60  # real seconds for one screen
_DRAWN_MS = 200
_LOOKS = 10  # times _DRAWN_MS, until a page has been drawn
_STILL_MS = 4000
_SETTLES_MS = 25_000  # until the line rests
_TOLD = 10  # screens that came instead, in an error


class Stage:
    """One terminal for a group of plays, at its home page when a play begins. Use it as a context manager.

    `pictures` collects what the plays see, `opened` the entries of the menu that they open.
    """

    def __init__(self, home: Path, language: str, **fields: Any) -> None:
        """`home`: an empty folder. `fields`: of tools.provision.device.Terminal, beside those of every shop."""
        self.language = language
        self.words = table(language)
        self.pictures: list[Picture] = []
        self.opened: list[str] = []
        self.play = ""
        self._cards: dict[str, Card] = {}
        terminal = Terminal(
            merchant_name=_NAMES[language],
            language=language,
            supervisor_code=CODE,
            approval=terminal_settings.OfflineApproval(target=0, most=0),  # no random selection
            identity=certificates.make(home / "host", Terminal.terminal_id),
            **fields,
        )
        self.system = WholeSystem(home, terminal=terminal, source=_SOURCE, now=lambda: NOW)
        self.host, self.world = self.system.host, self.system.world
        named = publication.parameters({0x16: terminal_settings.pack_wallets(LABELS)})
        self.host.tables.publish(publication.PARAMETERS, named, "tools.scenes")

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.system.__exit__()

    def start(self, signed_on: bool) -> None:
        """Power on. `signed_on`: and wait for the home page, once the host has been heard."""
        if signed_on:
            self.world.power_on()
            self.wait("home_hint")
            self.network("on")
            self._rest()

    # -- hands ------------------------------------------------------------------------------------------------------

    def press(self, keys: str) -> None:
        """Press keys: 0-9, E, C, B, U, D, M."""
        self.world.press(keys)

    def menu(self, entry: str) -> None:
        """Open an entry of the menu from the home page."""
        self.home()
        self.opened.append(entry)
        self.press(menu_keys.keys_of(entry))

    def tap(self, card: str = "jade") -> None:
        """Present a card of the catalogue once it is asked for."""
        self.wait("present")
        self.world.place(self.card(card))

    def card(self, name: str) -> Card:
        """The card of this name. There is only one, so it keeps its transaction counter."""
        if name not in self._cards:
            self._cards[name] = catalogue.make(name)
        return self._cards[name]

    def supervise(self) -> None:
        """Enter the supervisor's code."""
        self.wait("code_title")
        self.press(CODE + "E")

    def log_in(self, number: int, code: str) -> None:
        """Log in from the page that asks for the operator's number, to the home page."""
        self.wait("log_in")
        self.press(f"{number}E")
        self.wait("operator_code")
        self.press(code + "E")
        self.wait("home_hint")

    def sell(self, amount: int, card: str = "jade", word: str = "approved") -> None:
        """Make a card sale without taking pictures, back to the home page. `amount` in minor units."""
        self.press(f"{amount}E")
        self.tap(card)
        self.wait(word)
        self.world.remove()
        self.home()

    def number_on_slip(self, label: str) -> str:
        """The number beside a label, a text key, on the newest slip."""
        found = re.search(rf"^{re.escape(self.words[label])} +(\d+)$", self.world.receipts[-1].text(), re.MULTILINE)
        if not found:
            raise AssertionError(f"no {label} on the slip")
        return found[1]

    def network(self, state: str) -> None:
        """Set the radio's state, as of tools.world.wifi_radio, and wait until the top bar says so and nothing waits."""
        self.world.radio.state = state
        self._wait_for_bar(*(("bar_host", "bar_clear") if state == "on" else ("bar_off",)))

    def _wait_for_bar(self, *texts: str) -> None:
        def ready() -> bool:
            bar = compact(self.world.screen_text()[:1])
            return all(self._pattern(text).search(bar) for text in texts)

        self.world.wait(ready, f"{texts} in the top bar", _PATIENCE_S)
        self.world.run_for(_DRAWN_MS)

    # -- eyes -------------------------------------------------------------------------------------------------------

    def sees(self, title: str, *texts: str) -> bool:
        """Whether a line begins with the title, an icon aside, and all the texts are somewhere on the screen.

        A text: a key of the tables, or the text itself.
        """
        lines = self.world.screen_text()
        begins = self._pattern(title)
        if not any(begins.match(re.sub(r"^{[^}]*}", "", compact([line]))) for line in lines):
            return False
        shown = compact(lines)
        return all(self._pattern(text).search(shown) for text in texts)

    def _pattern(self, text: str) -> re.Pattern[str]:
        return pattern(self.words.get(text, text))

    def wait(self, *texts: str) -> None:
        """Let time run until it `sees` the texts, and the page has been drawn. Raises WorldError."""
        said = " and ".join(repr(self.words.get(text, text)) for text in texts)
        passed: list[list[str]] = []

        def here() -> bool:
            lines = self.world.screen_text()
            if lines not in passed[-1:]:
                passed.append(lines)
            return self.sees(*texts)

        try:
            self.world.wait(here, said, _PATIENCE_S)
        except WorldError as error:
            error.add_note(
                "\n".join(["--- screens that came instead", *(" / ".join(lines) for lines in passed[:_TOLD])])
            )
            raise
        for _ in range(_LOOKS):
            written = self.world.chips.display_writes()
            self.world.run_for(_DRAWN_MS)
            if written == self.world.chips.display_writes():
                return

    def see(self, name: str, *texts: str, hide: tuple[str, ...] = ()) -> None:
        """Wait for a screen by its texts, the title first, and take its picture. Raises WorldError if it does not come.

        `name`: one in all plays. `hide`: texts whose lines differ from run to run.
        """
        self.wait(*texts)
        self._rest()
        self.wait(*texts)
        pixels = self.world.chips.display.pixels
        hidden = changing(pixels, [self._pattern(text) for text in hide])
        self._take(name, texts, pixels, hidden)

    def see_wait(self, name: str, *texts: str, hide: tuple[str, ...] = ()) -> None:
        """Like `see`, for a page of waiting: what moves on it is hidden from the digest too."""
        self.wait(*texts)
        pixels = self.world.chips.display.pixels
        self._take(name, texts, pixels, moving() + changing(pixels, [self._pattern(text) for text in hide]))

    def see_passing(self, name: str, *texts: str, hide: tuple[str, ...] = ()) -> None:
        """Like `see_wait`, for a page that goes away by itself at once. The last text must be what is drawn last."""
        caught: list[tuple[bytes, list[str]]] = []

        def here() -> bool:
            if self.sees(*texts):
                caught.append((self.world.chips.display.pixels, self.world.screen_text()))
            return bool(caught)

        self.world.wait(here, f"{texts} for a moment", _PATIENCE_S)
        pixels, lines = caught[0]
        self._take(name, texts, pixels, moving() + changing(pixels, [self._pattern(text) for text in hide]), lines)

    def home(self) -> None:
        """Leave every page until the home page is shown, with nothing to send."""
        for _ in range(12):
            if self.sees("home_hint"):
                self.wait("home_hint")
                return
            legend = compact(self.world.screen_text()[-1:])
            self.press("E" if legend.startswith("E" + self.words["key_ok"]) else "C")
            self.world.run_for(1000)
        raise AssertionError(f"no home page: {self.world.screen_text()}")

    def _rest(self) -> None:
        """Let time run until the line rests, nothing waits to be sent if there is a network, and the screen is still.

        While a receipt is printed, the screen is still for up to three seconds, and then names more keys.
        """
        end = self.world.now + _SETTLES_MS
        still, written = 0, -1
        while still < _STILL_MS and self.world.now < end:
            now_written = self.world.chips.display_writes()
            quiet = now_written == written and self._rests(compact(self.world.screen_text()[:1]))
            still, written = still + _DRAWN_MS if quiet else 0, now_written
            self.world.run_for(_DRAWN_MS)

    def _rests(self, bar: str) -> bool:
        if self.world.radio.state != "on" or self.host.mood != "normal":
            return not self._pattern("bar_busy").search(bar)
        return all(self._pattern(text).search(bar) for text in ("bar_host", "bar_clear"))

    def _take(
        self, name: str, texts: tuple[str, ...], pixels: bytes, hidden: list[Box], lines: list[str] | None = None
    ) -> None:
        keys = tuple(text for text in texts if text in self.words)
        lines = lines or self.world.screen_text()
        self.pictures.append(Picture(name, self.play, pixels, lines, keys, tuple(hidden)))
