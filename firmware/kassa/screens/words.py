# SPDX-License-Identifier: MIT
"""Texts in the chosen language, looked up in one long string to save the memory of a dict."""


class Words:
    """`language` is "en" or "zh"; only its table is loaded."""

    def __init__(self, language: str) -> None:
        self.language = ""
        self._table = ""
        self.load(language)

    def load(self, language: str) -> None:
        """Switch to `language`; to English if it is unknown."""
        if language == self.language:
            return
        if language == "zh":
            from kassa.screens.texts.zh import TABLE
        else:
            language = "en"
            from kassa.screens.texts.en import TABLE
        self.language = language
        self._table = TABLE

    def get(self, key: str, *values: object) -> str:
        """The text of `key`, formatted with `values`. An unknown key is returned unchanged: a sale must not fail for a text."""
        text = _find(self._table, key) or _find(self._rare(key), key)
        if not text:
            return key
        return text % values if values else text

    def _rare(self, key: str) -> str:
        """The table of the texts that a sale does not need: of receipts, or of staff and set-up."""
        if key.startswith("r_"):
            if self.language == "zh":
                from kassa.screens.texts.receipt_zh import TABLE
            else:
                from kassa.screens.texts.receipt_en import TABLE
        elif self.language == "zh":
            from kassa.screens.texts.setup_zh import TABLE
        else:
            from kassa.screens.texts.setup_en import TABLE
        return TABLE

    def reason(self, code: str) -> str:
        """The text for an answer code (DE 39), without the code itself."""
        if self.language == "zh":
            from kassa.screens.texts.answers_zh import TABLE
        else:
            from kassa.screens.texts.answers_en import TABLE
        return _find(TABLE, code) or self.get("de39_other")

    def cause(self, name: str) -> str:
        """The text for LinkError.cause or Wifi.cause."""
        if self.language == "zh":
            from kassa.screens.texts.causes_zh import TABLE
        else:
            from kassa.screens.texts.causes_en import TABLE
        return _find(TABLE, name)


def _find(table: str, key: str) -> str:
    """The text of a key, "" if there is none."""
    start = table.find("\n%s=" % key)
    if start < 0:
        return ""
    start += len(key) + 2
    return table[start : table.find("\n", start)]
