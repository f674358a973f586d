# SPDX-License-Identifier: MIT
"""A main.py that opens the shipped channel to the host, or does all but that (`OPENS` is set above it), and ends."""

import asyncio

from board import Board
from kassa.crypto.device_keys import SETTINGS, device_key
from kassa.errors import LinkError
from kassa.uplink.tls_channel import TlsChannel
from kassa.vault.settings import settings
from kassa.vault.settings.settings import Settings

_NO_FRAME = memoryview(b"\x00\x00")  # a length that none can have
_PATIENCE_S = 20


async def _shake_hands(channel: TlsChannel) -> None:
    """TLS does so when the first bytes are to go. The host hangs up after these."""
    await channel.open()
    await channel.send(_NO_FRAME)
    try:
        await channel.receive(memoryview(bytearray(16)), _PATIENCE_S)
    except LinkError:
        pass


async def _main() -> None:
    board = Board()
    values = Settings(board.settings, device_key(board.device_secret, SETTINGS), board.entropy)
    values.open()
    name, password = values.get(settings.WIFI_NAME), values.get(settings.WIFI_PASSWORD)
    while not await board.wifi.join(str(name, "utf-8"), str(password, "utf-8")):
        pass
    channel = TlsChannel(values)
    if OPENS:  # noqa: F821  written above this text
        await _shake_hands(channel)


asyncio.run(_main())
