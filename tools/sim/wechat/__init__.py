# SPDX-License-Identifier: MIT
"""WeChat Pay for tests: its HTTP, JSON and signatures on loopback, with books of its own and moods."""

from tools.sim.wechat.server import WeChatSimulator

__all__ = ["WeChatSimulator"]
