# SPDX-License-Identifier: MIT
"""A host as a process: one per folder, until a signal ends it."""

import contextlib
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from tools.host.app import Host
from tools.host.errors import SetupError
from tools.host.folder_lock import Taken, claim
from tools.host.running import permissions
from tools.host.settings import Limits

_STOP = {signal.SIGINT, signal.SIGTERM}
_OTHER_FILES = 128  # descriptors for the database, logs, pages and those outside


@contextmanager
def running(home: Path, create: Callable[[], Host]) -> Iterator[Host]:
    """A started host, the only one of its folder, whose files are private. Signals wait for `wait`.

    Raises SetupError if it cannot start.
    """
    permissions.keep_private()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    with ExitStack() as held:
        held.callback(signal.pthread_sigmask, signal.SIG_SETMASK, before)  # a host that did not start blocks no signal
        try:
            held.enter_context(claim(home))
            host = create().start()
        except (Taken, OSError, ValueError) as error:
            raise SetupError(str(error)) from None
        except SQLAlchemyError as error:
            raise SetupError(f"the database cannot be opened: {getattr(error, 'orig', type(error).__name__)}") from None
        held.callback(host.stop)
        _tell_systemd("READY=1")
        yield host
        _tell_systemd("STOPPING=1")


def wait() -> str:
    """Wait for SIGTERM or SIGINT and return its name. A second one ends the process at once."""
    number = signal.sigwait(_STOP)
    for each in _STOP:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
    return signal.Signals(number).name


def allow_connections(limits: Limits) -> int:
    """Raise this process's limit of open files as far as `limits` need it. Returns how many are missing."""
    wanted = limits.connections + limits.handshakes + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    missing = limits.connections + limits.handshakes + _OTHER_FILES - soft
    return max(missing, 0) if soft != resource.RLIM_INFINITY else 0


def _tell_systemd(state: str) -> None:
    """Tell systemd, if it started this process and wants to know (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
