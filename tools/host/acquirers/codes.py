# SPDX-License-Identifier: MIT
"""Which wallet a customer's code belongs to, by its first digits and its length.

The defaults are those of the providers' public documentation (2026-11): Alipay says that its lengths may grow. A
merchant can change the table in acquirers.toml.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WECHAT, ALIPAY, UNIONPAY = "wechat", "alipay", "unionpay"


@dataclass(frozen=True, slots=True)
class Form:
    """Codes that start with a number from `first` to `last` (the same count of digits), `least` to `most` digits long."""

    kind: str
    first: str
    last: str
    least: int
    most: int

    def fits(self, code: str) -> bool:
        """Whether a code, digits only, has this form."""
        return self.least <= len(code) <= self.most and self.first <= code[: len(self.first)] <= self.last


DEFAULTS = (
    Form(WECHAT, "10", "15", 18, 18),
    Form(ALIPAY, "25", "30", 16, 24),
    Form(UNIONPAY, "62", "62", 19, 19),
)


def kind_of(code: str, forms: Sequence[Form] = DEFAULTS) -> str | None:
    """The kind of wallet whose code this is; None if none knows it."""
    if not (code.isascii() and code.isdigit()):
        return None
    return next((form.kind for form in forms if form.fits(code)), None)
