# SPDX-License-Identifier: MIT
"""Costs of one payment in the whole terminal: exchanges with the card and the host, and flash operations."""

import json
import tempfile
from pathlib import Path

from tools.cards import catalogue
from tools.cards.behaviours import Watched
from tools.cashier import HOME, CashierActions
from tools.provision.device import Terminal
from tools.whole_system import WholeSystem

_CARD, _AMOUNT = "amber", 2000


def one_payment() -> dict[str, float]:
    """Figures of a payment accepted offline and sent later: APDUs, bytes of the tap and the wire, flash operations."""
    with tempfile.TemporaryDirectory(prefix="kassa-bench-") as home:
        with WholeSystem(Path(home), terminal=Terminal(language="en")) as system:
            world, hands = system.world, CashierActions(system.world)
            hands.sign_on()
            hands.go_offline()
            world.wait_screen(HOME)
            world.run_for(3000)  # the terminal first prepares keys and blank sectors
            card = Watched(catalogue.make(_CARD))
            before = world.flash_ops.programs
            hands.present(_AMOUNT, card)
            world.wait_screen("Accepted", hands.patience_s)
            programs = world.flash_ops.programs - before
            world.remove()
            world.press("E")
            hands.drain()
        frames = [json.loads(line) for line in (Path(home) / "wire.log").read_text().splitlines()]
    payment = next(
        index for index, frame in enumerate(frames) if frame["dir"] == "up" and frame["hex"][26:30] == "0200"
    )
    answer = next(frame for frame in frames[payment:] if frame["dir"] == "down")
    sizes = [len(apdu) for apdu in card.commands + card.answers]
    return {
        "tap_apdus_qvsdc": len(card.commands),
        "tap_bytes_qvsdc": sum(sizes),
        "wire_bytes_per_payment": len(frames[payment]["hex"]) // 2,
        "wire_answer_bytes_per_payment": len(answer["hex"]) // 2,
        "terminal_programs_per_accept": programs,
    }
