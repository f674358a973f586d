# SPDX-License-Identifier: MIT
"""A main.py that opens the shipped channel to the host, or does all but that (`OPENS` is set above it), and ends."""

import asyncio

from board import Board
from kassa.crypto.device import SETTINGS, device_key
from kassa.uplink.channel import Channel
from kassa.vault import settings
from kassa.vault.settings import Settings


async def _main() -> None:
    board = Board()
    values = Settings(board.settings, device_key(board.device_secret, SETTINGS), board.entropy)
    values.open()
    name, password = values.get(settings.WIFI_NAME), values.get(settings.WIFI_PASSWORD)
    while not await board.wifi.join(str(name, "utf-8"), str(password, "utf-8")):
        pass
    channel = Channel(values)
    if OPENS:  # noqa: F821  written above this text
        await channel.open()
        print("handshake done")


asyncio.run(_main())
