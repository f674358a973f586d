# SPDX-License-Identifier: MIT
"""A fixed part of the power-cut campaign. `make cuts N=20000` runs the long campaign."""

from __future__ import annotations

import random
from pathlib import Path

from host_tests.cuts.campaign import Campaign, Case
from host_tests.cuts.flows import FLOWS
from host_tests.harness.in_micropython.runner import Inside

CASES = 300
FOUND = (  # failures of earlier long campaigns, played every time
    "batch close | lap edge | 13/unstable:2",
    "batch close | sector edge | 14/unstable:1",
    "online yes | sector edge | 14/unstable:1",
    "lap erase | full | 5/none",
    "pay a long one | empty | 12/unstable:2",
    "online not sent | middle | 2/unstable:2",
    "pay | full | 1/unstable:1 3/random:2",
    "boot | lap edge tail | 2/unstable:2 1/prefix:144",
    "boot | lap edge tail | 2/unstable:1 9/prefix:32",
    "boot | full tail | 3/unstable:2 1/prefix:208",
    "key and number reservation | empty | 7/unstable:1 8/unstable:2",
    "settle | lap edge | 13/unstable:2 1/unstable:1",
    "batch close | sector edge | 17/unstable:2 1/unstable:2",
    "batch close | empty | 15/unstable:1 1/unstable:2",
    "batch close | lap edge | 1/unstable:6 2/unstable:5",
    "key and number reservation | empty | 11/unstable:5 3/unstable:1",
    "key and number reservation | middle | 9/unstable:7 1/unstable:3",
    "pay | middle | 13/unstable:9 3/unstable:2",
    "online yes | middle | 13/unstable:3 3/unstable:6",
)


def test_cuts_of_every_flow_break_no_guarantee(inside: Inside, tmp_path: Path) -> None:
    """The cases are spread evenly over the flows."""
    campaign = Campaign(inside, tmp_path)
    dice = random.Random(20261125)
    every = list(campaign.singles())
    chosen = []
    for flow in FLOWS:
        own = [case for case in every if case.flow == flow]
        chosen += dice.sample(own, min(len(own), CASES // len(FLOWS)))
    for case in chosen:
        print(case)  # shown when it fails; `python -m host_tests.cuts --replay` takes the line
        campaign.play(case)
    ran = sum(campaign.run.values())
    print(f"single cuts {len(every)}, chosen {len(chosen)}, run {ran}")
    for line in FOUND:
        print(line)
        campaign.play(Case.parse(line))
    assert ran == len(chosen) >= CASES * 3 // 4
