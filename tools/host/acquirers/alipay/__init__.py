# SPDX-License-Identifier: MIT
"""Alipay in store (face-to-face payment): the customer's code, our code, undo, refund, and the daily bill.

`account.create` reads the table of acquirers.toml. The API is that of openapi.alipay.com/gateway.do, version 1.0.
"""

from tools.host.acquirers.alipay.account import create

__all__ = ["create"]
