# SPDX-License-Identifier: MIT
"""Listening sockets, for IPv4 and IPv6."""

import socket


def listen(address: str, port: int, backlog: int = 128) -> socket.socket:
    """A listening socket. `port` 0 picks a free one; `::` takes IPv4 as well. Raises OSError."""
    if ":" not in address:
        return socket.create_server((address, port), backlog=backlog)
    both = address == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((address, port), family=socket.AF_INET6, backlog=backlog, dualstack_ipv6=both)
