# SPDX-License-Identifier: MIT
"""Threads for the database work of those who ask outside.

They are not the event loop's own: a name server that does not answer keeps all of those, also when nobody waits any more.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_POOL = ThreadPoolExecutor(8, "kassa-outside")
P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Do work in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, lambda: work(*args, **more))
