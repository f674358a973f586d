# SPDX-License-Identifier: MIT
"""WeChat Pay, API v3, on the SDK wechatpayv3: codes of customers, codes that customers scan, refunds, daily bills."""

from tools.host.acquirers.wechat.setup import create

__all__ = ["create"]
