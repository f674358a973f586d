# SPDX-License-Identifier: MIT
"""Reads one table of acquirers.toml. What is wrong, missing or unknown is named at the start, not at the first customer."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tools.host.errors import KeyMissing, SetupError

_NOTHING: Any = object()


class Section:
    """`where`: its name in errors. `secret`: gives a secret by its name. Every getter raises SetupError."""

    def __init__(self, where: str, values: Mapping[str, Any], secret: Callable[[str], bytes]) -> None:
        self._where, self._values, self._secret = where, values, secret
        self._known: set[str] = set()

    def text(self, key: str, default: str = _NOTHING, form: str = ".+", means: str = "a text") -> str:
        """A text that matches `form` from end to end; `means` says what it is."""
        value = self._take(key, default)
        if not isinstance(value, str) or value != default and not re.fullmatch(form, value):
            raise self.wrong(key, f"{means} is wanted")
        return value

    def whole(self, key: str, default: int = _NOTHING, least: int = 0, most: int = 1 << 31) -> int:
        """A whole number."""
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least} to {most} is wanted")
        return value

    def yes(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false is wanted")
        return value

    def texts(self, key: str, form: str = ".+", means: str = "texts") -> list[str]:
        """A list of texts; [] if it is not there."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and re.fullmatch(form, one) for one in value):
            raise self.wrong(key, f"a list of {means} is wanted")
        return value

    def url(self, key: str, default: str = _NOTHING) -> str:
        """An address, without a slash at its end: HTTPS, or HTTP on loopback."""
        value = self.text(key, default)
        parts = urlsplit(value)
        near = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if not parts.hostname or parts.scheme != "https" and not (near and parts.scheme == "http"):
            raise self.wrong(key, "an address with https:// is wanted")
        return value.rstrip("/")

    def secret(self, key: str) -> bytes:
        """The secret whose name stands here. A wrong name is not shown: it may be the secret itself."""
        try:
            return self._secret(self.text(key))
        except KeyMissing:
            raise self.wrong(key, "there is no secret of this name: kassa-host secrets list, or put") from None

    def done(self) -> None:
        """Everything was read. Raises SetupError for a key that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, 1)
                raise self.wrong(key, f"is unknown{f'; {near[0]}?' if near else ''}")

    def wrong(self, key: str, why: str) -> SetupError:
        """The error for a key."""
        return SetupError(f"{self._where}: {key}: {why}")

    def _take(self, key: str, default: Any) -> Any:
        self._known.add(key)
        value = self._values.get(key, default)
        if value is _NOTHING:
            raise self.wrong(key, "is missing")
        return value
