# SPDX-License-Identifier: MIT
# Frozen into the image: MicroPython's own modules, asyncio and main.py. The firmware and board.py ride as .mpy in the
# romfs partition beside the font asset, which is read in place there, and the printer's character table.
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
module("main.py", base_path="$(BOARD_DIR)/../../firmware", opt=1)
