# SPDX-License-Identifier: MIT
"""`python -m tools.bench [FILE]`: prints every figure as `name value unit`, and writes them to FILE (bench.json).

If every figure could be measured, it also updates docs/performance.md.
"""

import json
import subprocess
import sys
from pathlib import Path

from tools.bench import boot, drain, echo, host_speed, page, performance, rivals, stores, taps, tls
from tools.bench.figures import show
from tools.world import interpreter

_WHO = "import sys; print(sys.version)"


def main(out: Path) -> None:
    """Measure and print one group of figures after another."""
    interpreter.require()
    figures: dict[str, float] = {}
    groups = (
        stores.journal,
        stores.keyring,
        rivals.rivals,
        performance.one_payment,
        taps.taps,
        drain.drain,
        tls.hold,
        echo.echo,
        boot.boot,
        host_speed.host,
    )
    for group in groups:
        measured = {name: round(value, 3) for name, value in group().items()}
        show(measured)
        figures |= measured
    who = subprocess.run(
        [interpreter.micropython(), "-c", _WHO], check=True, capture_output=True, text=True
    ).stdout.strip()
    out.write_text(json.dumps({"interpreter": who, "figures": figures}, indent=1) + "\n")
    page.write(figures, who)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "bench.json"))
