# SPDX-License-Identifier: MIT
# What is frozen into the image: MicroPython's own modules, asyncio, and the firmware. Fonts ride in the romfs partition.
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
package("kassa", base_path="$(BOARD_DIR)/../../firmware", opt=1)
module("main.py", base_path="$(BOARD_DIR)/../../firmware", opt=1)
module("board.py", base_path="$(BOARD_DIR)", opt=1)
