# SPDX-License-Identifier: MIT
"""How the bus reaches the world: a loopback socket. `link` is a stream whose `write` and `readinto` move every byte."""

import os

import usocket

link = usocket.socket()
link.connect(usocket.getaddrinfo("127.0.0.1", int(os.getenv("KASSA_WORLD")))[0][-1])
link.setsockopt(6, 1, 1)  # TCP_NODELAY
