# SPDX-License-Identifier: MIT
"""Runs before main.py on the emulated chip: what a file cannot shadow there is put in place."""

import sys

import packed

packed.mount()

import flash  # noqa: E402 - the modules are found now
import radio  # noqa: E402

import machine  # noqa: E402
import wiring  # noqa: E402

sys.modules["esp32"] = flash
sys.modules["network"] = radio

import world_requests  # noqa: E402 - it wants the modules above

world_requests.carry_out(machine.mode & ~wiring.MAY_JUMP)
