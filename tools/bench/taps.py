# SPDX-License-Identifier: MIT
"""Cost of reading a card: exchanges, time in the field, instructions for offline data authentication, heap."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.bench import instructions, micropython32, model
from tools.bench.inside import HEAP, HERE, ask, run_environment
from tools.cards import catalogue, certificates
from tools.cards.certificates import INDEX
from tools.cards.chip import ChipCard
from tools.cards.payment import PaymentCard
from tools.cards.proven import ProvenVisa
from tools.host.tables.card_entries import SCHEMES
from tools.world import interpreter, pn532_link

_SCRIPT = HERE / "tap.py"
_TURNS = 3
_APPROVED = "kind 2"


class Tap:
    """A tap approved offline by `card`. Keeps the APDUs; `recording` gets the authority's key and the reader's frames.

    Raises RuntimeError if the card was not approved.
    """

    def __init__(self, card: PaymentCard, scheme: str, exponent: int, recording: Path) -> None:
        key = certificates.key("authority", exponent)
        recorded = {"key": [SCHEMES[scheme].hex(), INDEX, key.public.hex(), exponent], "replies": []}
        self.commands: list[bytes] = []
        self.answers: list[bytes] = []
        self.recording = recording
        recording.write_text(json.dumps(recorded))
        self._talk(card)
        recorded["replies"] = [pn532_link.frame(b"\xd5\x41\x00" + answer).hex() for answer in self.answers]
        recording.write_text(json.dumps(recorded))

    def _talk(self, card: PaymentCard) -> None:
        command = [interpreter.micropython(), "-X", f"heapsize={HEAP}", _SCRIPT, "dialogue", self.recording]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=run_environment()) as kernel:
            assert kernel.stdin is not None and kernel.stdout is not None
            while (line := kernel.stdout.readline().strip()) and not line.startswith("kind"):
                self.commands.append(bytes.fromhex(line))
                self.answers.append(card.transmit(self.commands[-1]))
                kernel.stdin.write(self.answers[-1].hex() + "\n")
                kernel.stdin.flush()
        if line != _APPROVED:
            raise RuntimeError(f"the card was not approved: {line}")

    def field_ms(self, work: float) -> float:
        """Modelled time with the card in the field: air, the reader's bus, and `work` instructions."""
        bus = ask("tap.py", "bus", str(self.recording))["bytes"]
        return model.air_ms(self.commands, self.answers) + model.bus_ms(bus) + model.processor_ms(work)

    def instructions(self, work: str) -> float:
        """Instructions of one tap. `work` is `field` or `whole`, see inside/tap.py."""
        return instructions.per_turn(_SCRIPT, work, _TURNS, str(self.recording))


@contextmanager
def _tap(kind: type[PaymentCard], name: str, scheme: str, exponent: int) -> Iterator[Tap]:
    profile = catalogue.make(name)
    assert isinstance(profile, PaymentCard)
    with tempfile.TemporaryDirectory(prefix="kassa-tap-") as folder:
        card = kind(profile.profile, exponent=exponent)  # type: ignore[call-arg]
        yield Tap(card, scheme, exponent, Path(folder) / "recording.json")


def taps() -> dict[str, float]:
    """Figures of a Visa card (fDDA) and an M/Chip card (CDA), both approved offline; key exponents 3 and 65537."""
    figures: dict[str, float] = {}
    with _tap(ChipCard, "maple", "Mastercard", 3) as mchip, _tap(ProvenVisa, "quartz", "Visa", 3) as visa:
        figures["tap_apdus_mchip"] = len(mchip.commands)
        figures["tap_bytes_mchip"] = sum(map(len, mchip.commands + mchip.answers))
        if instructions.available():
            visa_field, mchip_field = visa.instructions("field"), mchip.instructions("field")
            figures["oda_e3_instructions"] = round(visa.instructions("whole") - visa_field)
            figures["tap_field_ms_qvsdc"] = visa.field_ms(visa_field)
            figures["tap_field_ms_mchip"] = mchip.field_ms(mchip_field)
        if (micropython := micropython32.find()) is not None:
            needed = [ask("tap.py", "heap", str(tap.recording), micropython=micropython) for tap in (visa, mchip)]
            figures["tap_heap_kib"] = max(one["bytes"] for one in needed) / 1024
    if instructions.available():
        with _tap(ProvenVisa, "quartz", "Visa", 65537) as visa:
            figures["oda_e65537_instructions"] = round(visa.instructions("whole") - visa.instructions("field"))
    return figures
