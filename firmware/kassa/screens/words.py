# SPDX-License-Identifier: MIT
"""The words of the chosen language: looks a key up in one long text, so that no dict of texts stands in memory."""

from kassa.modules import forget

_TEXTS = "kassa.screens.texts."


class Words:
    """`language` is "en" or "zh"; only its table is loaded."""

    def __init__(self, language: str) -> None:
        self.language = ""
        self._table = ""
        self.load(language)

    def load(self, language: str) -> None:
        """Switch to `language` and let go of the other one. An unknown one is English."""
        if language == self.language:
            return
        if self.language:
            forget(_TEXTS + self.language)
        if language == "zh":
            from kassa.screens.texts.zh import TABLE
        else:
            language = "en"
            from kassa.screens.texts.en import TABLE
        self.language = language
        self._table = TABLE

    def has(self, key: str) -> bool:
        return self._table.find("\n%s=" % key) >= 0

    def get(self, key: str, *values: object) -> str:
        """The text of `key` with `values` put in. An unknown key is shown as it is: a sale must not fail for a word."""
        start = self._table.find("\n%s=" % key)
        if start < 0:
            return key
        start += len(key) + 2
        text = self._table[start : self._table.find("\n", start)]
        return text % values if values else text

    def reason(self, code: str) -> str:
        """The words for a host's answer code (DE 39); its number is the caller's to show."""
        key = "de39_" + code
        return self.get(key if self.has(key) else "de39_other")
