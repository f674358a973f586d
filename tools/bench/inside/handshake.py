# SPDX-License-Identifier: MIT
"""A main.py that opens the firmware's channel to the host and ends. With `OPENS` false (set above) it does not open."""

import asyncio

from board import Board
from kassa.clock import wake_rtc
from kassa.crypto.device_keys import SETTINGS, device_key
from kassa.errors import LinkError
from kassa.uplink.tls_channel import TlsChannel
from kassa.vault.settings import settings
from kassa.vault.settings.settings import Settings

_NO_FRAME = memoryview(b"\x00\x00")  # an invalid frame length
_PATIENCE_S = 20


async def _shake_hands(channel: TlsChannel) -> None:
    """TLS performs the handshake when the first bytes are sent. The host closes the connection after them."""
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
    wake_rtc(board.rtc, int.from_bytes(values.get(settings.PROVISIONED), "big"))
    name, password = values.get(settings.WIFI_NAME), values.get(settings.WIFI_PASSWORD)
    while not await board.wifi.join(str(name, "utf-8"), str(password, "utf-8")):
        pass
    channel = TlsChannel(values)
    if OPENS:  # noqa: F821  set above this text
        await _shake_hands(channel)


asyncio.run(_main())
