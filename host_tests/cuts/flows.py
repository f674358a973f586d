# SPDX-License-Identifier: MIT
"""The flows during which the power may fail, and the states of the chip from which they start."""

from __future__ import annotations

from typing import Any

from tools.device_key import device_key
from tools.host.keys.host_keys import TEST_BDK
from tools.provision.device import initial_key_block

Step = list[Any]

SECRET = bytes(range(60, 92))
IKID = bytes.fromhex("1234567890123456")
ACCEPTED, INTENT = 0x51, 0x52
YES, DECLINED = 0x61, 0x64
SECTOR = 4096
RING = 8  # sectors of the journal
KEYRING = 8
SIZE = (RING + KEYRING) * SECTOR
PAGES = 15  # records per sector

IDLE: Step = ["idle"]


def pay(amount: int) -> Step:
    """A deferred payment."""
    return ["pay", amount, ACCEPTED]


def intent(amount: int) -> Step:
    """An online payment, stored as an intent."""
    return ["pay", amount, INTENT]


FLOWS: dict[str, list[Step]] = {
    "boot": [],
    "pay": [IDLE, pay(1200), pay(3400)],
    "pay, never idle": [pay(1200), pay(3400)],
    "pay a long one": [IDLE, ["pay", 1200, ACCEPTED, True], pay(3400)],
    "online yes": [IDLE, intent(1200), ["final", YES, "00"]],
    "online no": [IDLE, intent(1200), ["final", DECLINED, "51"]],
    "online no answer": [IDLE, intent(1200), ["reversing"], ["reversed"]],
    "online not sent": [IDLE, intent(1200), ["defer", 1200], ["drain", [1]]],
    "online given up": [IDLE, intent(1200), ["void"], ["drain", [1]]],
    "settle": [IDLE, pay(1200), ["drain", [1]]],
    "settle, some refused, some later": [IDLE, pay(500), pay(600), pay(700), pay(800), ["drain", [2, 1, 1, 3, 1, 2]]],
    "batch close": [IDLE, pay(1200), ["drain", [1]], ["closing"], ["close"], IDLE],
    "key and number reservation": [["pay", 100, ACCEPTED]],
    "lap erase": [["drain", [1]], ["close"], IDLE, pay(1), ["heard", 2], IDLE],
}
# the flows with pairs of cuts
SHORT = ("boot", "pay", "online yes", "settle", "key and number reservation", "batch close")
STARTING_STATES = ("empty", "middle", "sector edge", "lap edge", "full")
TAILS = ("", " tail", " intent")  # the last entry before a boot: a mark, or a payment or an intent without a mark


def provisioned_chip() -> bytes:
    """A chip after provisioning: a blank journal partition and a staged initial key."""
    block = initial_key_block(device_key(SECRET, b"kbpk"), IKID, TEST_BDK)
    return b"\xff" * (RING * SECTOR) + block.ljust(KEYRING * SECTOR, b"\xff")


def pays(count: int) -> list[Step]:
    return [pay(100 + index) for index in range(count)]


def recipe(start: str) -> list[list[Step]]:
    """The lives without a cut that make a starting state."""
    name, _, tail = start.partition(" tail")
    name, _, waiting = name.partition(" intent")
    end: list[list[Step]] = []
    if start.endswith(" tail"):
        end = [[pay(770)]]
    elif start.endswith(" intent"):
        end = [[intent(770)]]
    day = [IDLE, *pays(PAGES), ["drain", [1]], ["close"], IDLE]
    if name == "empty":
        return [[]]
    if name == "middle":
        return [[IDLE, *pays(5), ["drain", [1, 2, 3]]], *end]
    if name == "sector edge":
        more = PAGES - 1 if end else PAGES
        return [[IDLE, *pays(more), *([end[0][0]] if end else [["drain", [1]]])]]
    if name == "lap edge":
        laps: list[list[Step]] = [day] * (2 * RING + 3)
        return [*laps, [IDLE, *pays(4), *(end[0] if end else [["drain", [1, 1, 2]]])]]
    return [[IDLE, *pays((RING - 2) * PAGES - (1 if end else 0)), *(end[0] if end else [["drain", [1, 3]]])]]


def starting_states_of(flow: str) -> list[str]:
    """The starting states of a flow; a boot is played from every tail."""
    if flow != "boot":
        return list(STARTING_STATES)
    return ["empty"] + [start + tail for start in STARTING_STATES[1:] for tail in TAILS]
