# SPDX-License-Identifier: MIT
"""What provisioning needs of the merchant's host: certificates, the base derivation key, the registered terminals.

The host may be running: its database takes one more writer.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from sqlalchemy import select

from tools.host.errors import SetupError
from tools.host.keys import dukpt, mac, pki
from tools.host.keys.host_keys import TEST_BDK, HostKeys
from tools.host.store.ledger import Ledger
from tools.host.store.schema import terminal as table
from tools.host.transactions import terminals
from tools.host.transactions.record_checks import highest_counter
from tools.provision.errors import BadInput

_BDK_ID = bytes.fromhex("12345678")  # of the standard's test key; the first terminal of a host gets it by default


@dataclass(frozen=True)
class Known:
    """A terminal that the host knows. `key_id`: its initial key id, hex. `used`: highest counter of a key it has used."""

    key_id: str
    used: int


class MerchantHost:
    """The host's folder. Close it after use."""

    def __init__(self, home: Path) -> None:
        """Create certificates and database if missing. Raises BadInput if a file there cannot be used."""
        try:
            home.mkdir(parents=True, exist_ok=True)
            self.ca = pki.ensure(home)
            names = pki.Identity.load(home, "host").certificate.extensions
            self.name = names.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
                x509.DNSName
            )[0]
            self.bdk = HostKeys(home).bdk
            self._ledger = Ledger(home / "host.db")
        except (OSError, ValueError, SetupError, x509.ExtensionNotFound) as error:
            raise BadInput(f"{home}: {error}") from None

    @property
    def has_test_key(self) -> bool:
        """Whether the base derivation key is the one printed in the standard: anybody can read the payments."""
        return self.bdk == TEST_BDK

    def close(self) -> None:
        """Close the database."""
        self._ledger.close()

    def known(self, terminal_id: str) -> Known | None:
        """The terminal with this id, None if the host does not know it."""
        with self._ledger.read() as db:
            found = terminals.load(db, terminal_id)
            return found and Known(found.ikid.hex(), max(found.message_mark, highest_counter(db, terminal_id)))

    def new_key_id(self) -> bytes:
        """An initial key id (8 bytes) that no terminal of this host has: its BDK id, then a random device id."""
        with self._ledger.read() as db:
            rows = db.execute(select(table.c.ikid, table.c.bdk_id)).all()
        bdk = bytes.fromhex(rows[-1].bdk_id) if rows else _BDK_ID
        while True:
            made = bdk + secrets.token_bytes(4)
            if made.hex() not in {row.ikid for row in rows}:
                return made

    def register(self, terminal_id: str, merchant_id: str, key_id: bytes) -> None:
        """Make the terminal known to the host."""
        self._ledger.register(terminal_id, merchant_id, key_id)

    def check_value(self, key_id: bytes) -> str:
        """Six hex digits that identify an initial key: AES-CMAC over a block of zeros (ANSI X9.24-1:2017, Annex A)."""
        return mac.cmac(dukpt.initial_key(self.bdk, key_id), bytes(16))[:3].hex().upper()
