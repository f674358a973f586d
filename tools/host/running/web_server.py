# SPDX-License-Identifier: MIT
"""One web application on one address, in the host's event loop."""

import asyncio

import uvicorn
from starlette.types import ASGIApp

from tools.host.network.sockets import listen

_CONNECTIONS = 128


class WebServer:
    """Serves `application` from `start` to `stop`."""

    def __init__(self, application: ASGIApp) -> None:
        config = uvicorn.Config(
            application,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            limit_concurrency=_CONNECTIONS,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self, address: str, port: int) -> None:
        """Start serving. `port` 0 picks a free one. Raises OSError if it is in use."""
        listening = listen(address, port)
        self.port = listening.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.01)

    async def stop(self, within: float) -> None:
        """Close the port; what is being answered has `within` seconds. With 0 it ends at once, as if the power failed."""
        if self._task is None:
            return
        if not within:
            for server in getattr(self._server, "servers", ()):
                server.close()
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()
            self._task.cancel()
            await asyncio.wait([self._task])
            return
        self._server.should_exit = True
        await asyncio.wait([self._task], timeout=within)
        self._server.force_exit = True
        await self._task
