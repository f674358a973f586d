# SPDX-License-Identifier: MIT
"""The acquirer simulator's port: TLS with certificates on both sides, a thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tools.host.keys import pki
from tools.sim.acquirer_wire import Unreadable

NAME = "acquirer.test"
_PATIENCE = 10.0  # seconds


class Cut(Exception):
    """The connection ends."""


@dataclass
class Session:
    """One connection. `key`: of its MACs, once it has signed on."""

    line: ssl.SSLSocket
    key: bytes = b""
    signed_on: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, data: bytes) -> None:
        with self.lock:
            self.line.sendall(data)


class AcquirerServer(ABC):
    """`folder`: for its certificates. `client`: the certificate that it lets in. `hangs`: no TLS handshake is answered."""

    def __init__(self, folder: Path) -> None:
        self.hangs = False
        self.port = 0
        self.sessions: list[Session] = []
        self._sockets: list[socket.socket] = []
        self._news = threading.Condition()
        authority = pki.authority("Acquirer")
        self.trust = authority.certificate_pem
        self.client = pki.terminal_identity(authority, "kassa-host")
        pki.host_identity(authority, NAME).save(folder, "acquirer")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "acquirer.pem", folder / "acquirer.key.pem")
        self._context.load_verify_locations(cadata=self.trust.decode())
        self._context.verify_mode = ssl.CERT_REQUIRED

    @abstractmethod
    def prefix(self) -> int:
        """Bytes of a frame's length."""

    @abstractmethod
    def length(self, prefix: bytes) -> int:
        """The length that they say."""

    @abstractmethod
    def handle(self, session: Session, message: bytes) -> None:
        """Answer one message. Raises Cut to end the connection."""

    def start(self) -> Self:
        """Open the port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="acquirer", daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port and all connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End all connections."""
        for each in [*self._sockets, *(session.line for session in self.sessions)]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for each in self._sockets:
            each.close()
        self._sockets, self.sessions = [], []

    def wait(self, that: Callable[[], bool]) -> None:
        """Wait until something holds; looked at after each message. Raises TimeoutError."""
        with self._news:
            if not self._news.wait_for(that, _PATIENCE):
                raise TimeoutError("the acquirer does not hear it")

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            if self.hangs:
                self._sockets.append(plain)
            else:
                threading.Thread(target=self._serve, args=(plain,), name="acquirer line", daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            plain.settimeout(_PATIENCE)
            with self._context.wrap_socket(plain, server_side=True) as line:
                line.settimeout(None)
                session = Session(line)
                self.sessions.append(session)
                while True:
                    prefix = _exactly(line, self.prefix())
                    message = _exactly(line, self.length(prefix))
                    with self._news:
                        self.handle(session, message)
                        self._news.notify_all()
        except (OSError, EOFError, Cut, Unreadable):
            plain.close()


def _exactly(line: ssl.SSLSocket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data
