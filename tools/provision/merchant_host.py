# SPDX-License-Identifier: MIT
"""What provisioning needs of the merchant's host: certificates, keys, the registered terminals.

The host may be running: its database takes one more writer.
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from sqlalchemy import select

from tools.host import private_files
from tools.host.errors import HostError
from tools.host.keys import host_keys, pki
from tools.host.keys.authority import Authority
from tools.host.store import open_ledger
from tools.host.store.ledger import Ledger
from tools.host.store.schema_keys import terminal_key
from tools.host.tables import renewal
from tools.host.transactions import terminal_keys, terminals
from tools.host.transactions.record_checks import highest_counter
from tools.provision.errors import BadInput


@dataclass(frozen=True)
class Known:
    """A terminal that the host knows. `key_id`: its initial key id, hex. `used`: highest counter of a key it has used.

    `next_key_id`: the one it is to have, empty = none planned. `awaits_device`: another chip is to have its terminal id.
    """

    key_id: str
    used: int
    next_key_id: str = ""
    awaits_device: bool = False


class MerchantHost:
    """The host's folder, with the folder of the CA at hand. Close it after use."""

    def __init__(self, home: Path, ca: Path | None = None, test_keys: bool = False) -> None:
        """`ca`: the CA's folder, HOME/ca if it is None. `test_keys`: the published keys, and a test CA; both are made.

        Asks for the passphrases of keys and CA. Raises BadInput if a file there cannot be used.
        """
        try:
            private_files.folder(home)
            if test_keys:
                pki.ensure(home)
            self._authority = Authority.open(ca or home / "ca")
            self.ca = self._authority.identity.certificate
            names = x509.load_pem_x509_certificate((home / "host.pem").read_bytes()).extensions
            self.name = names.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
                x509.DNSName
            )[0]
            self.keys = host_keys.find(home, test_keys)
            self._ledger = Ledger(open_ledger.database(home))
        except (OSError, ValueError, HostError, x509.ExtensionNotFound) as error:
            raise BadInput(f"{home}: {error}") from None

    @property
    def has_test_key(self) -> bool:
        """Whether the base derivation key is the one printed in the standard: anybody can read the payments."""
        return self.keys.is_test

    def close(self) -> None:
        """Close the database, and forget the keys."""
        self._ledger.close()
        self.keys.close()

    def known(self, terminal_id: str) -> Known | None:
        """The terminal with this id, None if the host does not know it."""
        with self._ledger.read() as db:
            found = terminals.load(db, terminal_id, lock=False)
            if found is None:
                return None
            used = max(found.message_mark, highest_counter(db, terminal_id, found.ikid))
            coming = found.next_ikid.hex() if found.next_ikid else ""
            return Known(found.ikid.hex(), used, coming, found.awaits_device)

    def new_key_id(self) -> bytes:
        """An initial key id (8 bytes) that no terminal of this host has: its BDK id, then a random device id."""
        with self._ledger.read() as db:
            by_age = terminal_key.c.since.desc().nulls_last()
            newest = db.execute(select(terminal_key.c.ikid).order_by(by_age)).scalars().first()
            bdk = bytes.fromhex(newest)[:4] if newest else self.keys.bdk_ids[0]
            return terminal_keys.new_id(db, bdk)

    def register(self, terminal_id: str, merchant_id: str, key_id: bytes) -> None:
        """Make the terminal known to the host. Raises SetupError: see terminal_keys.register."""
        with self._ledger.write() as db:
            terminal_keys.register(db, terminal_id, merchant_id, key_id)
            renewal.withdraw(db, terminal_id)  # it gets its certificate now

    def certify(self, terminal_id: str) -> pki.Identity:
        """A certificate for the terminal, with a new private key."""
        key = pki.new_key()
        return pki.Identity(self._authority.terminal(terminal_id, key.public_key()), key)

    def check_value(self, key_id: bytes) -> str:
        """Six hex digits that identify an initial key; see KeyStore."""
        return self.keys.check_value(key_id)
