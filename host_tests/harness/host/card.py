# SPDX-License-Identifier: MIT
"""A card for testing the host: the TLV that a tap puts in a sealed body, with a cryptogram computed by pyemv."""

import warnings
from dataclasses import dataclass

with warnings.catch_warnings():  # `cryptography` calls TDES "decrepit"; payment cards still use it
    warnings.simplefilter("ignore")
    from pyemv.cvn import VisaCVN10

MASTER_KEY = bytes.fromhex("2315208C9110AD402315208C9110AD40")  # test issuer 476173
_INPUTS = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36")


def tlv(tags: dict[str, str]) -> bytes:
    return b"".join(bytes.fromhex(f"{tag}{len(value) // 2:02x}{value}") for tag, value in tags.items())


@dataclass
class Card:
    """One physical card. Its transaction counter (ATC) increases with every tap."""

    pan: str = "4761730000000011"
    expiry: str = "3112"  # YYMM
    atc: int = 0

    def tap(self, amount: int, **replace: str) -> bytes:
        """TLV of one transaction. `replace`: tags to change after the cryptogram is computed, as `t9F02="..."`."""
        self.atc += 1
        tags = {
            "57": f"{self.pan}D{self.expiry}2010000000000000F",
            "5F34": "01",
            "9F26": "",
            "9F27": "80",
            "9F10": "06010A03A0B800",
            "9F37": "1A2B3C4D",
            "9F36": f"{self.atc:04X}",
            "95": "0000000000",
            "9A": "261123",
            "9C": "00",
            "9F02": f"{amount:012}",
            "5F2A": "0156",
            "82": "2000",
            "9F1A": "0156",
            "9F03": "0" * 12,
        }
        tags["9F26"] = self._cryptogram(tags)
        tags.update({name[1:]: value for name, value in replace.items()})
        return tlv(tags)

    def _cryptogram(self, tags: dict[str, str]) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            issuer = VisaCVN10(MASTER_KEY, MASTER_KEY, MASTER_KEY, self.pan, tags["5F34"])
            values = [bytes.fromhex(tags[tag]) for tag in _INPUTS]
            return issuer.generate_ac(*values, bytes.fromhex(tags["9F10"])[3:7]).hex()
