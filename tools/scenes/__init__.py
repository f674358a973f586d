# SPDX-License-Identifier: MIT
"""Scenes: scripted plays of the real firmware that show every screen, in both languages.

A play presses keys as a cashier does, waits for each screen by its text, and takes its picture. `plays` has them by theme.
"""
