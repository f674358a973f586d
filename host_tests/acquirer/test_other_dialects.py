# SPDX-License-Identifier: MIT
"""Dialects that lack something: no repeats, no special codes for advices."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from host_tests.acquirer.conftest import New
from host_tests.harness.acquirer.bench import Bench
from tools.host.acquirers.card import requests
from tools.host.acquirers.card.dialect import FOLDER as DIALECT_FILES
from tools.host.errors import ProviderFault


async def connected(bench: Bench, times: int) -> None:
    """Wait until the connection was opened so often. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while bench.acquirer.link.counters["connected"] < times:
            await asyncio.sleep(0.002)


def test_a_dialect_without_repeats_has_what_is_unanswered_reversed_and_refused(new_bench: New, tmp_path: Path) -> None:
    file = (DIALECT_FILES / "cup-1987.toml").read_text(encoding="utf-8")
    sale = 'sale = { types = ["22"], mti = "0200", repeat = "0201"'
    assert sale in file
    (tmp_path / "mine.toml").write_text(file.replace(sale, 'sale = { types = ["22"], mti = "0200"'), encoding="utf-8")
    bench = new_bench(str(tmp_path / "mine.toml"))

    async def work() -> None:
        payment = bench.payment()
        bench.sim.plan("cut after")
        with pytest.raises(ProviderFault):
            await bench.acquirer.decide(payment)
        stan = bench.row(payment.uid).stan
        await connected(bench, 2)
        assert (await bench.acquirer.decide(payment)).code == "12"  # sent again as it was: a duplicate
        assert (await bench.acquirer.decide(payment)).code == "12"
        assert bench.row(payment.uid).stan == stan and bench.row(payment.uid).state == requests.UNDONE
        await bench.acquirer.close()

    asyncio.run(work())
    assert bench.sim.heard["request"] == 2 and bench.sim.heard["reversal"] == 1
    assert bench.sim.books.owed() == 0 and len(bench.sim.books.entries) == 1


def test_an_advice_that_is_called_a_duplicate_is_told_again_and_never_reversed(new_bench: New, tmp_path: Path) -> None:
    file = (DIALECT_FILES / "cup-1987.toml").read_text(encoding="utf-8")
    own = file[file.index("[advice_codes]") :]
    (tmp_path / "mine.toml").write_text(file.replace(own, ""), encoding="utf-8")
    bench = new_bench(str(tmp_path / "mine.toml"))

    async def work() -> None:
        sale = bench.payment()
        assert (await bench.acquirer.decide(sale)).code == "00"
        void = bench.advice(sale, 1250, "23")
        bench.sim.plan("96 after", "advice")
        bench.sim.plan("94", "advice")
        for code in ("96", "94"):
            with pytest.raises(ProviderFault, match=code):
                await bench.acquirer.tell(void)
            assert bench.row(void.uid).state == requests.ASKED
        await bench.acquirer.tell(void)
        assert bench.row(void.uid).state == requests.YES
        await bench.acquirer.tell(void)  # it is done: nothing is sent
        await bench.acquirer.close()

    asyncio.run(work())
    assert (bench.sim.heard["advice"], bench.sim.heard["advice again"], bench.sim.heard["reversal"]) == (1, 2, 0)
    assert bench.ours() == bench.sim.books.owed() == 0


def test_an_advice_that_the_acquirer_refuses_stays_to_be_told(new_bench: New) -> None:
    bench = new_bench()

    async def work() -> None:
        sale = bench.payment()
        assert (await bench.acquirer.decide(sale)).code == "00"
        (entry,) = bench.sim.books.entries.values()
        tip = bench.advice(sale, 1400, "34")
        bench.sim.plan("refuse", "advice")
        for _ in range(2):
            with pytest.raises(ProviderFault, match="05"):
                await bench.acquirer.tell(tip)
        with pytest.raises(ProviderFault, match="not approved"):
            await bench.acquirer.tell(bench.advice(bench.payment(), 1400, "34"))
        assert (bench.row(tip.uid).state, entry.worth) == (requests.ASKED, 1250)
        await bench.acquirer.close()

    asyncio.run(work())
