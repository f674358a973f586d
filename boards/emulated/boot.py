# SPDX-License-Identifier: MIT
"""Runs before main.py on the emulated chip: what a file cannot shadow there is put in place."""

import sys

import radio

sys.modules["network"] = radio
