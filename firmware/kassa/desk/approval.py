# SPDX-License-Identifier: MIT
"""When a card may approve by itself: below the floor limit, not picked by chance, under a clock that is known."""

from micropython import const

from kassa.vault.settings import OFFLINE_APPROVAL, Settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.clock import Clock
    from kassa.hardware import Entropy

_SIZE = const(20)
_ABOVE_FLOOR, _PICKED, _FORCED = const(0x80), const(0x10), const(0x08)  # TVR byte 4


class Approval:
    """Parsed from setting 11 (docs/keys.md). Without it no card approves by itself. Amounts in minor units."""

    def __init__(self, values: Settings) -> None:
        data = values.get(OFFLINE_APPROVAL, b"")
        self.set = len(data) == _SIZE
        if self.set:
            self.floor = int.from_bytes(data[:6], "big")
            self.cvm = int.from_bytes(data[6:12], "big")
            self.threshold = int.from_bytes(data[12:18], "big")
            self.target, self.most = data[18], data[19]

    def risk(self, amount: int, clock: "Clock", entropy: "Entropy") -> int:
        """Why the host is to decide on `amount`, as TVR byte 4; 0 = a card may be left to approve it."""
        if not self.set or not 0 < amount <= self.floor:
            return _ABOVE_FLOOR
        if not clock.trusted:
            return _FORCED
        return _PICKED if self._picked(amount, entropy) else 0

    def cvm_required(self, amount: int) -> bool:
        """Whether the cardholder must be verified at this amount."""
        return self.set and 0 < self.cvm <= amount

    def _picked(self, amount: int, entropy: "Entropy") -> bool:
        """Random transaction selection (EMV Book 3, 10.6.2): the nearer to the floor limit, the likelier."""
        chance = self.target
        if amount >= self.threshold and self.floor > self.threshold:
            chance += (self.most - self.target) * (amount - self.threshold) // (self.floor - self.threshold)
        number = 0
        while not 1 <= number <= 99:
            number = entropy(1)[0] & 0x7F
        return number <= chance
