# SPDX-License-Identifier: MIT
"""`python -m tools.hardware`: checks pins, partition tables, sdkconfig and manifest of every ESP32 board."""

import sys

from tools.hardware import manifest, partitions, pins, sdkconfig
from tools.hardware.catalogue import OFFICIAL, OWN, BoardFolder, boards

OFFICIAL_PROGRAM = 1_672_976  # bytes of the program in ESP32_GENERIC-20250911-v1.26.1.bin


def problems(board: BoardFolder) -> list[str]:
    """What is wrong with a board folder, one line each."""
    bad = [f"board.py: {line}" for line in pins.judge(board.folder / "board.py", board.chip, board.psram)]
    for name, app_size in ((OWN, 0), (OFFICIAL, OFFICIAL_PROGRAM)):
        try:
            rows = partitions.read_csv(board.folder / name)
        except partitions.TableError as error:
            bad.append(f"{name}: {error}")
            continue
        bad += [f"{name}: {line}" for line in partitions.problems(rows, board.flash_size, app_size)]
    text = (board.folder / "sdkconfig.board").read_text(encoding="utf-8")
    bad += [f"sdkconfig.board: {line}" for line in sdkconfig.problems(text)]
    try:
        frozen = manifest.run(board.folder / "manifest.py")
        if "main.py" not in frozen.files:
            bad.append("manifest.py: main.py is not frozen")
    except manifest.ManifestError as error:
        bad.append(f"manifest.py: {error}")
    return bad


def main() -> int:
    failed = False
    for board in boards():
        bad = problems(board)
        print(f"{board.name}: " + ("all checks hold" if not bad else ""))
        for line in bad:
            print(f"  {line}")
        failed = failed or bool(bad)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
