# SPDX-License-Identifier: MIT
"""A host in a process of its own: HOME DATABASE. Prints its port, and serves until its input ends."""

import datetime
import sys
from pathlib import Path

from tools.host.settings import Limits
from tools.sim.host import Host

LIMITS = Limits(connections_per_terminal=64, shutdown_seconds=0)
NOON = datetime.datetime(2026, 11, 23, 12, 0, 0)


def main() -> None:
    home, database = Path(sys.argv[1]), sys.argv[2]
    with Host(home, db=database if "://" in database else Path(database), now=lambda: NOON, limits=LIMITS) as host:
        print(host.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
