# SPDX-License-Identifier: MIT
"""When a card may approve by itself: below the floor limit, not picked by chance, under a clock that is known."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.tlv import Bytes
    from kassa.hardware import Entropy

_SIZE = const(20)
# TVR byte 4
_ABOVE_FLOOR = const(0x80)
_PICKED = const(0x10)
_FORCED = const(0x08)


class Risk:
    """Limits of setting 11, or of a row of the AID table (docs/keys.md). Empty: no card approves by itself. Minor units."""

    def __init__(self, data: "Bytes") -> None:
        self.set = len(data) == _SIZE
        if self.set:
            self.floor = int.from_bytes(data[:6], "big")
            self.cvm = int.from_bytes(data[6:12], "big")
            self.threshold = int.from_bytes(data[12:18], "big")
            self.target, self.most = data[18], data[19]

    def reason(self, amount: int, trusted: bool, number: int) -> int:
        """Why the host is to decide on `amount`, as TVR byte 4; 0 = a card may be left to approve it.

        `trusted`: the clock is; `number`: of `draw`.
        """
        if not self.set or not 0 < amount <= self.floor:
            return _ABOVE_FLOOR
        if not trusted:
            return _FORCED
        return _PICKED if number <= self._chance(amount) else 0

    def cvm_required(self, amount: int) -> bool:
        """Whether the cardholder must be verified at this amount."""
        return self.set and 0 < self.cvm <= amount

    def _chance(self, amount: int) -> int:
        """Random transaction selection (EMV Book 3, 10.6.2), in percent: the nearer to the floor limit, the likelier."""
        if amount < self.threshold or self.floor <= self.threshold:
            return self.target
        return self.target + (self.most - self.target) * (amount - self.threshold) // (self.floor - self.threshold)


def draw(entropy: "Entropy") -> int:
    """A number of 1 to 99, once for a payment."""
    number = 0
    while not 1 <= number <= 99:
        number = entropy(1)[0] & 0x7F
    return number
