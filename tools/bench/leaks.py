# SPDX-License-Identifier: MIT
"""`python -m tools.bench.leaks [N]`: plays N sales, and compares the live heap after the first hundred with that at the end.

On 32-bit MicroPython, compiled, as from flash. The network is off for ten sales at a time: by card, for cash, by code on
the merchant's screen where the host is needed. Then it comes back, and the queue is sent.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.bench import micropython32, romfs
from tools.cashier import HOME
from tools.demo.day import TERMINAL
from tools.demo.shopkeeper import Shopkeeper
from tools.whole_system import WholeSystem
from tools.world import interpreter

FLAT_BYTES = 1024
_HEAP = "160k"
_FIRST = 100  # sales after which the heap is measured for the first time
_ROUND = 10  # sales without a network, then it comes back
_SETTLED_MS = 20_000  # without a key: connection closed, ciphers and sectors prepared


def live(system: WholeSystem, sales: int, every: int = _FIRST) -> Iterator[tuple[int, int]]:
    """Make so many sales. Yields (sales so far, live heap in bytes) after each `every` of them, on the idle home page."""
    shop = Shopkeeper(system)
    shop.sign_on()
    shop.home()
    for sale in range(1, sales + 1):
        place = sale % _ROUND
        if place == 1:
            shop.go_offline()
        if place == 0:
            shop.drain()
            shop.customers_code(100 + sale, f"1345678901{sale:08d}")
        elif place % 3 == 0:
            shop.cash_sale(100 + sale)
        else:
            shop.sell(100 + sale, "amber" if place % 2 else "ink", "Accepted, to be authorised")
        if sale % every == 0:
            shop.home()
            system.world.wait_screen(HOME)
            system.world.run_for(_SETTLED_MS)
            yield sale, system.world.heap().live


def measure(sales: int, every: int = _FIRST) -> list[tuple[int, int]]:
    """(sales, live heap) of one terminal. Raises micropython32.Unavailable."""
    with tempfile.TemporaryDirectory(prefix="kassa-leaks-") as folder:
        image = romfs.build(Path(folder) / "image.romfs")
        command = str(micropython32.path())
        home = Path(folder) / "home"
        with WholeSystem(home, micropython=command, terminal=TERMINAL, heap=_HEAP, source=image) as system:
            found = []
            for sale, heap in live(system, sales, every):
                print(f"{sale} sales: {heap} bytes live", flush=True)
                found.append((sale, heap))
            return found


def main(sales: int) -> int:
    interpreter.require()
    if sales < 2 * _FIRST:
        print(f"leaks: at least {2 * _FIRST} sales are needed")
        return 2
    found = measure(sales)
    grown = max(heap for _, heap in found) - found[0][1]
    print(f"leaks: {grown} bytes more than after {found[0][0]} sales, {FLAT_BYTES} allowed")
    return int(grown > FLAT_BYTES)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
