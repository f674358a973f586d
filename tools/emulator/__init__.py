# SPDX-License-Identifier: MIT
"""The terminal on an emulated ESP32 that runs an official MicroPython image, with the world's chips around it."""
