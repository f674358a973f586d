# SPDX-License-Identifier: MIT
"""Terminal risk management: may a card approve offline (floor limit, random selection, trusted clock)?"""

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
    """The limits in setting 11 or in a row of the AID table (docs/keys.md), in minor units.

    Empty: no offline approval.
    """

    def __init__(self, data: "Bytes") -> None:
        self.set = len(data) == _SIZE
        if self.set:
            self.floor = int.from_bytes(data[:6], "big")
            self.cvm = int.from_bytes(data[6:12], "big")
            self.threshold = int.from_bytes(data[12:18], "big")
            self.target_percent, self.max_percent = data[18], data[19]

    def reason(self, amount: int, trusted: bool, number: int) -> int:
        """Return why the host must decide on `amount`, as TVR byte 4; 0 = the card may approve offline.

        `trusted`: the clock is trusted. `number`: the result of `draw`.
        """
        if not self.set or not 0 < amount <= self.floor:
            return _ABOVE_FLOOR
        if not trusted:
            return _FORCED
        return _PICKED if number <= self._chance(amount) else 0

    def cvm_required(self, amount: int) -> bool:
        """Return whether this amount requires cardholder verification."""
        return self.set and 0 < self.cvm <= amount

    def _chance(self, amount: int) -> int:
        """Return the probability of random selection in percent (EMV Book 3, 10.6.2).

        It rises towards the floor limit.
        """
        if amount < self.threshold or self.floor <= self.threshold:
            return self.target_percent
        above = (self.max_percent - self.target_percent) * (amount - self.threshold) // (self.floor - self.threshold)
        return self.target_percent + above


def draw(entropy: "Entropy") -> int:
    """Return a random number from 1 to 99, drawn once per payment."""
    number = 0
    while not 1 <= number <= 99:
        number = entropy(1)[0] & 0x7F
    return number
