# SPDX-License-Identifier: MIT
"""A part of the power-cut campaign: the same cases each time. `make cuts N=20000` plays it at length."""

from __future__ import annotations

import random
from pathlib import Path

from host_tests.cuts.campaign import Campaign
from host_tests.cuts.flows import FLOWS
from host_tests.inside.inside import Inside

CASES = 300


def test_cuts_of_every_flow_break_no_promise(inside: Inside, tmp_path: Path) -> None:
    """Spread evenly over the flows."""
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
    assert ran == len(chosen) >= CASES * 3 // 4
