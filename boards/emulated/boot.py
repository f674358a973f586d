# SPDX-License-Identifier: MIT
"""Runs before main.py on the emulated chip: what a file cannot shadow there is put in place."""

import sys

import flash
import radio

import machine
import wiring

sys.modules["esp32"] = flash
sys.modules["network"] = radio

import world_requests  # noqa: E402 - it wants the modules above

world_requests.carry_out(machine.mode & ~wiring.MAY_JUMP)
