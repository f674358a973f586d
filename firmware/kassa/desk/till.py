# SPDX-License-Identifier: MIT
"""The till: decides how a payment is taken, seals it and makes it durable. Every change of money goes through here."""

from micropython import const

from kassa import money
from kassa.crypto.dukpt import DATA, MAC_SEAL
from kassa.crypto.sealing import Sealer
from kassa.crypto.wipe import zero
from kassa.desk.card_velocity import CardVelocity
from kassa.desk.limits import Limits
from kassa.errors import Refused
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import UNDECIDED
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.journal import Journal
from kassa.vault.keyring.keyring import Keyring

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.clock import Clock
    from kassa.desk.cardless_body import CardlessBody
    from kassa.hardware import Entropy

_SALE = const(0x22)
_CONTACTLESS = const(0x07)


class Till:
    """One per terminal. Amounts in minor units, times in seconds since 2000."""

    def __init__(
        self, journal: Journal, keyring: Keyring, limits: Limits, largest: int, clock: "Clock", entropy: "Entropy"
    ) -> None:
        self.journal = journal
        self.limits = limits
        self.largest = largest
        self.needs_supervisor = (
            journal.state.count > 0
        )  # after a restart with payments pending, until the host was heard
        self._keyring = keyring
        self._clock = clock
        self._entropy = entropy
        self.card_velocity = CardVelocity(entropy, max(1, limits.count) if limits.set else 1)
        self._draft = Draft()
        self._draft.type = _SALE
        self._draft.entry = _CONTACTLESS
        self._sealer = None
        self._search = None  # a count of what was refused later, while it lasts

    # -- deciding ---------------------------------------------------------------------------------------------------

    def check_amount(self, amount: int) -> None:
        """Raises Refused for zero, or more than the till takes at all."""
        if amount <= 0:
            raise Refused("amount_zero")
        if amount > self.largest:
            raise Refused("amount_over", money.text(self.largest))

    def check_offline(self, amount: int) -> None:
        """Raises Refused when a card payment of `amount` may not be taken without the host."""
        self.limits.check(amount, self.journal.state, self._clock.now(), self._clock.trusted)

    def check_card(self, body: memoryview) -> None:
        """Raises Refused when this card has paid as often as it may since the host was heard."""
        if self.card_velocity.times(_track(body)) >= self.limits.per_card:
            raise Refused("limit_card")

    def online_allowed(self) -> bool:
        """While a reversal is unanswered, sales are handled as without network."""
        return not self.journal.state.reversing

    def host_heard(self) -> None:
        """The host answered a handshake and nothing is pending: a new window of offline payments begins."""
        self.needs_supervisor = False
        if not self.journal.state.count:
            self.card_velocity.clear()

    # -- taking -----------------------------------------------------------------------------------------------------

    def prepare_ciphers(self, idle: bool = False) -> Sealer:
        """Make the next payment's key, STAN, uid, nonce and ciphers ahead; when `idle`, all that can be done before it.

        Raises KeyringError, FlashFault.
        """
        if self._sealer is not None:
            return self._sealer
        data_key, seal_key = bytearray(16), bytearray(16)
        draft = self._draft
        try:
            draft.counter = self._keyring.take(DATA, data_key, MAC_SEAL, seal_key)
            draft.stan = self._keyring.next_stan()
            draft.uid[:] = self._entropy(16)
            draft.nonce[:] = self._entropy(16)
            self._sealer = Sealer(data_key, seal_key, draft.nonce, idle)
        finally:
            zero(data_key)
            zero(seal_key)
        return self._sealer

    def accept_offline(self, amount: int, card: "Arena", supervisor: bool = False, approved: bool = False) -> int:
        """Take a card payment to be authorised later, or one that the card `approved` and was proven for.

        `card`: a read card.Arena. Returns the record's sequence.
        When it returns, the payment is durable. Raises JournalFull, FlashFault, KeyringError: then nothing was taken.
        """
        flags = (layout.FLAG_SUPERVISOR if supervisor else 0) | (layout.FLAG_APPROVED if approved else 0)
        sequence = self._take(layout.ACCEPTED, amount, card, flags)
        self.card_velocity.add(_track(card.body))
        return sequence

    def take(self, state: int, kind: int, amount: int, source: "Arena | CardlessBody", back: int = 0) -> int:
        """Write a payment of any kind: layout.INTENT before an online request leaves, ACCEPTED for cash and advices.

        `kind`: of kinds.py; `source`: a read card.Arena, or what takes its place; `back`: how many sequences back the payment
        lies that it is about. Returns its sequence; raises as accept_offline does.
        """
        draft = self._draft
        try:
            if kind != draft.type or source.entry != _CONTACTLESS:
                draft.type, draft.entry, draft.back = kind, source.entry, back
                self.prepare_ciphers()
                self.journal.stage(draft)
            sequence = self._take(state, amount, source, 0)
        finally:
            draft.type, draft.entry, draft.back = _SALE, _CONTACTLESS, 0
        if state == layout.INTENT:
            self.journal.dispositions.set(sequence, UNDECIDED)
        return sequence

    def _take(self, kind: int, amount: int, source: "Arena | CardlessBody", flags: int) -> int:
        made_ahead = self._sealer is not None
        sealer = self.prepare_ciphers()
        draft = self._draft
        if not made_ahead:  # the journal may still hold what was staged of one that was dropped
            self.journal.stage(draft)
        draft.amount = amount
        draft.time = self._clock.now()
        draft.flags = (layout.FLAG_CLOCK if self._clock.trusted else 0) | flags
        draft.mask[:3] = source.first6
        draft.mask[3:] = source.last4
        draft.data = source.body
        self._sealer = None
        try:
            return self.journal.accept(draft, sealer, kind)
        finally:
            sealer.wipe()

    def defer(self, sequence: int, amount: int, body: memoryview) -> None:
        """An intent of which no byte left becomes a deferred payment (the caller has checked the limits)."""
        self._undecided(sequence)
        self.journal.mark(layout.DEFERRED, sequence, charged=(amount, self._clock.now()))
        self.card_velocity.add(_track(body))

    def pass_over(self, used: int) -> None:
        """The host has seen every key up to `used`: one that was made ahead is not used any more."""
        if self._sealer is not None and self._draft.counter <= used:
            self._sealer.wipe()
            self._sealer = None

    def void_unsent(self, sequence: int) -> None:
        """An intent of which no byte left and that nobody wants: its void entry is owed to the host."""
        self._undecided(sequence)
        self.journal.mark(layout.VOIDED, sequence)

    def _undecided(self, sequence: int) -> None:
        """Raises Refused when something was decided about an intent meanwhile."""
        if sequence <= self.journal.state.watermark or self.journal.dispositions.get(sequence) not in (0, UNDECIDED):
            raise Refused("reversing_note")

    def idle(self) -> bool:
        """One piece of work for a quiet moment: a blank sector ahead, the next payment's ciphers, a look for what was refused
        later. True = something done."""
        journal = self.journal
        if journal.prepare():
            return True
        if self._sealer is None and self._keyring.loaded():
            self.prepare_ciphers(True)
            self.journal.stage(self._draft)
            return True
        return (journal.state.refused < 0 or self._search is not None) and self._counted_on()

    def busy(self) -> None:
        """Somebody wants to pay: a count that is under way gives its memory back, and begins again later."""
        self._search = None

    def _counted_on(self) -> bool:
        """Count what was refused later, some of the journal's marks at a time; True: there are others."""
        if self._search is None:
            from kassa.vault.journal.refused_later import Search

            self._search = Search(self.journal).steps()
        for _ in self._search:
            return True
        self._search = None
        return False


def _track(body: memoryview) -> memoryview:
    """The value of tag 57 or 5A, which stands first in a sealed body."""
    return body[2 : 2 + body[1]]
