# SPDX-License-Identifier: MIT
"""Why there is no connection to the host, in Chinese. Loaded only while it is shown."""

TABLE = """
wifi=网络不通：无线网络连接失败
password=网络不通：无线网络密码错误
network=网络不通：找不到无线网络
address=网络不通：网络无应答
lookup=正在查找主机，请稍候
dns=找不到主机名
host=无法连接主机
early=证书未到有效日期
over=主机证书已过期
name=证书与主机名不符
issuer=主机证书不明，不可信
refused=主机拒绝本机证书
strange=应答的不是主机，请检查网络登录
closed=主机挂断，可能拒绝本机证书
silent=主机无应答
"""
