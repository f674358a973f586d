# SPDX-License-Identifier: MIT
# Frozen into the image: MicroPython's own modules, asyncio and main.py. The romfs partition holds the firmware and
# board.py as .mpy, the font asset (read in place) and the printer's character table.
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
module("main.py", base_path="$(BOARD_DIR)/../../firmware", opt=1)
