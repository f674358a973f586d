# SPDX-License-Identifier: MIT
"""Serves the virtual PN532 on a pseudo terminal, for third-party drivers.

`python -m tools.world.pn532_pty [card]`, then e.g. `LIBNFC_DEFAULT_DEVICE=pn532_uart:/dev/pts/N nfc-list`.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import tty

from tools.world.pn532_link import PN532, HsuLink

_POLL_S = 0.002


class Pty:
    """A pty connected to the chip's UART; a context manager. A driver opens `path`."""

    def __init__(self, link: HsuLink) -> None:
        self.link = link
        self._master, self._slave = os.openpty()  # we keep the slave open: no hang-up between drivers
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="pn532-pty", daemon=True)

    def __enter__(self) -> Pty:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            if select.select([self._master], [], [], _POLL_S)[0]:
                self.link.receive(os.read(self._master, 1024))
            if out := self.link.send():
                os.write(self._master, out)


def main() -> None:
    """Serve one chip until interrupted. The command line may name the card in its field."""
    chip = PN532()
    if len(sys.argv) > 1:
        from tools.cards.catalogue import make

        chip.field.place(make(sys.argv[1]))
    with Pty(HsuLink(chip)) as pty:
        print(pty.path, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
