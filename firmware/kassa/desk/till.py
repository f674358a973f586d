# SPDX-License-Identifier: MIT
"""The till: checks a payment against the limits, seals it and writes it to the journal. All new payments pass here."""

from micropython import const

from kassa import money
from kassa.crypto.dukpt import DATA, MAC_SEAL
from kassa.crypto.sealing import Sealer
from kassa.crypto.wipe import zero
from kassa.desk.card_velocity import CardVelocity
from kassa.desk.offline_limits import Limits
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
        )  # after a restart with payments pending, until the host is heard
        self._keyring = keyring
        self._clock = clock
        self._entropy = entropy
        self.card_velocity = CardVelocity(entropy, max(1, limits.count) if limits.set else 1)
        self.draft = Draft()  # fields of the next record; its operator is set by who logs in
        self.draft.type = _SALE
        self.draft.entry = _CONTACTLESS
        self._sealer = None
        self._search = None  # the running count of payments refused later, or None

    # -- checking ---------------------------------------------------------------------------------------------------

    def check_amount(self, amount: int) -> None:
        """Raises Refused when `amount` is zero or above the largest amount allowed."""
        if amount <= 0:
            raise Refused("amount_zero")
        if amount > self.largest:
            raise Refused("amount_over", money.text(self.largest))

    def check_offline(self, amount: int) -> None:
        """Raises Refused when a card payment of `amount` may not be accepted offline."""
        self.limits.check(amount, self.journal.state, self._clock.now(), self._clock.trusted)

    def check_card(self, body: memoryview) -> None:
        """Raises Refused when this card has used up its offline payments since the host was last heard."""
        if self.card_velocity.times(_track(body)) >= self.limits.per_card:
            raise Refused("limit_card")

    def online_allowed(self) -> bool:
        """Whether sales may go online. While a reversal is unanswered, they are handled as if offline."""
        return not self.journal.state.reversing

    def host_heard(self) -> None:
        """Note that the host answered. If nothing is pending, every card may again pay offline up to its limit."""
        self.needs_supervisor = False
        if not self.journal.state.count:
            self.card_velocity.clear()

    # -- taking -----------------------------------------------------------------------------------------------------

    def prepare_ciphers(self, idle: bool = False) -> Sealer:
        """Prepare the next payment's keys, STAN, uid, nonce and ciphers, unless they are ready. Returns the ciphers.

        `idle`: there is time to do as much as possible in advance. Raises KeyringError, FlashFault.
        """
        if self._sealer is not None:
            return self._sealer
        data_key, seal_key = bytearray(16), bytearray(16)
        draft = self.draft
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
        """Accept a card payment offline: deferred, or `approved` by a card that was proven genuine.

        `card`: the card.Arena of a card that was read. Returns the record's sequence; the payment is then durable.
        Raises JournalFull, FlashFault, KeyringError; then nothing was accepted.
        """
        flags = (layout.FLAG_SUPERVISOR if supervisor else 0) | (layout.FLAG_APPROVED if approved else 0)
        sequence = self._take(layout.ACCEPTED, amount, card, flags)
        self.card_velocity.add(_track(card.body))
        return sequence

    def take(self, state: int, kind: int, amount: int, source: "Arena | CardlessBody", back: int = 0) -> int:
        """Write a payment of any type.

        `state`: layout.INTENT before an online request is sent, layout.ACCEPTED for cash and advices. `kind`: the type,
        see transactions.py. `source`: the card.Arena of a card that was read, or a CardlessBody. `back`: distance in
        sequences to the original payment, 0 = none. Returns the record's sequence; raises like accept_offline.
        """
        draft = self.draft
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
        draft = self.draft
        if not made_ahead:  # the journal may still hold a staged payment that was dropped
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
            draft.data = b""  # not a view of the card's data any longer: their memory is given back

    def defer(self, sequence: int, amount: int, body: memoryview) -> None:
        """Turn an intent that was never sent into a deferred payment. The caller has checked the limits."""
        self._undecided(sequence)
        self.journal.mark(layout.DEFERRED, sequence, charged=(amount, self._clock.now()))
        self.card_velocity.add(_track(body))

    def skip_used(self, used: int) -> None:
        """Drop a key prepared ahead whose counter is not above `used`: the host has already seen it."""
        if self._sealer is not None and self.draft.counter <= used:
            self._sealer.wipe()
            self._sealer = None

    def void_unsent(self, sequence: int) -> None:
        """Void an intent that was never sent and was abandoned. Its void entry is still to be sent to the host."""
        self._undecided(sequence)
        self.journal.mark(layout.VOIDED, sequence)

    def _undecided(self, sequence: int) -> None:
        """Raises Refused when an intent has been decided in the meantime."""
        if sequence <= self.journal.state.watermark or self.journal.dispositions.get(sequence) not in (0, UNDECIDED):
            raise Refused("reversing_note")

    def idle_step(self) -> bool:
        """Do one step of background work: erase a sector ahead, prepare ciphers, or count payments refused later.

        Returns True when something was done. Raises FlashFault, JournalFull, KeyringError.
        """
        journal = self.journal
        if journal.prepare():
            return True
        if self._sealer is None and self._keyring.loaded():
            self.prepare_ciphers(True)
            self.journal.stage(self.draft)
            return True
        return (journal.state.refused < 0 or self._search is not None) and self._count_refused()

    def cancel_search(self) -> None:
        """Cancel the running count to free its memory: a key was pressed. It starts again later."""
        self._search = None

    def _count_refused(self) -> bool:
        """Count payments refused later, some of the journal's marks at a time. True while there are more marks."""
        if self._search is None:
            from kassa.vault.journal.refused_later import Search

            self._search = Search(self.journal).steps()
        for _ in self._search:
            return True
        self._search = None
        return False


def _track(body: memoryview) -> memoryview:
    """The value of tag 57 or 5A, the first tag of a sealed body."""
    return body[2 : 2 + body[1]]
