# SPDX-License-Identifier: MIT
"""How many satoshi an amount is, by a rate that the merchant sets; or whether a server's rate is within his limits.

A rate is a decimal text, satoshi for one yuan; it is kept as a fraction of integers.
"""

from dataclasses import dataclass

SAT, CNY = "sat", "CNY"
FORM = r"[0-9]{1,12}(\.[0-9]{1,6})?"  # of a rate
_MINOR = 100  # fen in a yuan


@dataclass(frozen=True, slots=True)
class Rate:
    """`upper` satoshi are worth `lower` fen."""

    upper: int
    lower: int

    @classmethod
    def read(cls, text: str) -> "Rate":
        """Satoshi for one yuan, as in FORM."""
        whole, _, part = text.partition(".")
        return cls(int(whole + part), 10 ** len(part) * _MINOR)


@dataclass(frozen=True, slots=True)
class Price:
    """`unit` SAT: we work it out, and `least` is `most`. CNY: the server does, within these rates."""

    unit: str
    least: Rate
    most: Rate

    def asked(self, amount: int) -> int | str:
        """What the server is asked for: satoshi, or yuan with two places. `amount`: fen."""
        return f"{amount // _MINOR}.{amount % _MINOR:02}" if self.unit == CNY else self._satoshi(amount)

    def fits(self, amount: int, millisatoshi: int) -> bool:
        """Whether an invoice over so much is what was asked for. `amount`: fen."""
        satoshi, rest = divmod(millisatoshi, 1000)
        if satoshi <= 0 or rest:
            return False
        if self.unit == SAT:
            return satoshi == self._satoshi(amount)
        least = amount * self.least.upper // self.least.lower  # the server cuts fractions off
        return least <= satoshi <= -(-amount * self.most.upper // self.most.lower)

    def _satoshi(self, amount: int) -> int:
        return (2 * amount * self.least.upper + self.least.lower) // (2 * self.least.lower)


def fee(amount: int, fee: int, received: int) -> int:
    """A fee in fen. `amount`: fen that were asked for; `fee` and `received`: of it, in millisatoshi."""
    return (2 * amount * fee + received) // (2 * received)
