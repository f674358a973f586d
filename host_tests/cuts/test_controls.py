# SPDX-License-Identifier: MIT
"""Control tests: the campaign must detect each of five faulty stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.cuts.campaign import Campaign, Case
from host_tests.cuts.controls import STORES, Control
from host_tests.cuts.judge import Violation
from host_tests.harness.in_micropython.runner import Inside

# variant of the firmware -> flow and tear that reveal it, and the guarantee that must be broken
VARIANTS = {
    "early": ("pay", "none", "no accepted payment lost"),
    "no tags": ("pay", "prefix:64", "the count is right"),  # a torn record is accepted
    "old copy": ("key and number reservation", "none", "no older key state is left"),
}


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_loses_payments_is_caught(inside: Inside, tmp_path: Path, store: str) -> None:
    control = Control(inside, tmp_path, store)
    with pytest.raises(Violation, match="no accepted payment lost|the till starts again"):
        for cut in control.cuts():
            control.play(cut)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_firmware_that_breaks_a_rule_is_caught(inside: Inside, tmp_path: Path, variant: str) -> None:
    flow, tear, guarantee = VARIANTS[variant]
    for broken in (False, True):
        folder = tmp_path / str(broken)
        folder.mkdir()
        campaign = Campaign(inside, folder, variant if broken else "")
        caught = _caught(campaign, flow, tear)
        assert any(text.startswith(guarantee) for text in caught) == broken, caught


def _caught(campaign: Campaign, flow: str, tear: str) -> list[str]:
    caught = []
    for operation in range(1, len(campaign.log(flow, "middle")) + 1):
        try:
            campaign.play(Case.parse(f"{flow} | middle | {operation}/{tear}"))
        except Violation as broken:
            caught.append(str(broken))
    return caught
