# SPDX-License-Identifier: MIT
"""Provisions one terminal: seals its settings and stages its initial key in the flash image. Layouts: docs/keys.md.

Uses `cryptography` and `psec` instead of the firmware's code, so that each checks the other.
"""

import datetime
import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding

from tools.device_key import device_key
from tools.host.keys import dukpt, key_store, mac, pki
from tools.host.keys.host_keys import TestKeys
from tools.host.keys.key_store import KeyStore
from tools.host.tables import coverage
from tools.host.tables.card_entries import Entry, blob
from tools.host.tables.terminal_settings import OfflineApproval, OfflineLimits, pack_page
from tools.provision.ca_public_keys import TEST
from tools.world.flash import PARTITIONS, fill_in

_SECTOR = 4096
_EPOCH = datetime.datetime(2000, 1, 1)


class Operator(NamedTuple):
    """Somebody who works at the terminal: number 1 to 99, role (c cashier, s supervisor, a administrator), code."""

    number: int
    role: str
    code: str


@dataclass(frozen=True)
class Terminal:
    """What to provision for one terminal. `limits` None: nothing is accepted offline. `identity`: of the host's CA."""

    terminal_id: str = "KASSA001"
    merchant_id: str = "898000000000001"
    merchant_name: str = "老街茶馆"
    initial_key_id: bytes = bytes.fromhex("1234567890123456")
    host_name: str = pki.HOST_NAME
    host_address: str = "10.0.0.1"
    host_port: int = 8583
    wifi_name: str = "kassa-shop"
    wifi_password: str = "virtual-air"
    language: str = "zh"
    largest_sale: int = 5_000_000
    limits: OfflineLimits | None = field(default_factory=OfflineLimits)
    approval: OfflineApproval | None = field(default_factory=OfflineApproval)
    authorities: tuple[Entry, ...] = TEST
    printer: bytes = b""  # setting 20; empty: 58 mm, with Chinese characters
    receipt_page: str = ""  # setting 21
    supervisor_code: str = ""  # empty: a random one is generated
    operators: tuple[Operator, ...] = ()  # beside operator 90, who has the supervisor code
    unstaffed: bool = False  # no operator at all: the terminal asks for an administrator's code at first use
    identity: pki.Identity | None = None  # None: a new one, signed now


def provision(home: Path, pki_home: Path, terminal: Terminal, keys: KeyStore | None = None) -> str:
    """Write flash.bin and efuse.bin in `home`. The test CA in `pki_home` signs the terminal's certificate; see pki.ensure.

    `keys`: the host's; without them the published test keys.

    Warns on standard error about characters of the shop's name that the terminal cannot show or print. Returns the
    supervisor code, which is not stored in clear anywhere.
    """
    for problem in coverage.missing(terminal.merchant_name):
        print(f"warning: merchant_name: {problem}; a question mark will be shown instead", file=sys.stderr)
    fill_in(home)
    secret = (home / "efuse.bin").read_bytes()
    code = terminal.supervisor_code or f"{secrets.randbelow(10**6):06d}"
    ca = pki.ensure(pki_home)
    identity = terminal.identity or pki.terminal_identity(ca, terminal.terminal_id)
    settings_key = device_key(secret, b"settings")
    sealed = settings_blob(settings_key, values(terminal, code, ca.certificate, identity, settings_key))
    with open(home / "flash.bin", "r+b") as flash:
        flash.seek(PARTITIONS["settings"][0])
        flash.write(sealed.ljust(_SECTOR, b"\xff"))
        flash.seek(PARTITIONS["cards"][0])
        flash.write(blob(device_key(secret, b"cards"), terminal.authorities))
        flash.seek(PARTITIONS["keyring"][0])
        block = (keys or TestKeys()).key_block(terminal.initial_key_id, device_key(secret, b"kbpk"))
        flash.write(block.ljust(_SECTOR, b"\xff"))
    return code


def values(terminal: Terminal, code: str, ca: x509.Certificate, identity: pki.Identity, key: bytes) -> dict[int, bytes]:
    """The settings by id. `code`: the supervisor code. `key`: the settings key, for the check of that code."""
    salt = os.urandom(8)
    found = {
        0x01: terminal.terminal_id.encode("ascii"),
        0x02: terminal.merchant_id.encode("ascii"),
        0x03: terminal.merchant_name.encode(),
        0x04: terminal.host_name.encode("ascii"),
        0x05: terminal.host_address.encode("ascii"),
        0x06: terminal.host_port.to_bytes(2, "big"),
        0x07: ca.public_bytes(Encoding.DER),
        0x08: identity.certificate_der,
        0x09: identity.key_der,
        0x0A: terminal.wifi_name.encode(),
        0x0B: terminal.wifi_password.encode(),
        0x0D: terminal.language.encode("ascii"),
        0x0E: salt + mac.cmac(key, salt + code.encode("ascii")),
        0x10: terminal.largest_sale.to_bytes(6, "big"),
        0x15: int((_now() - _EPOCH).total_seconds()).to_bytes(4, "big"),
    }
    if terminal.limits is not None:
        found[0x0C] = terminal.limits.pack()
    if terminal.printer:
        found[0x20] = terminal.printer
    if terminal.receipt_page:
        found[0x21] = pack_page(terminal.receipt_page)
    if terminal.approval is not None:
        found[0x11] = terminal.approval.pack()
    if terminal.operators:
        found[0x17] = b"".join(_row(operator, key) for operator in terminal.operators)
    if terminal.unstaffed:
        del found[0x0E]
    return found


def _row(operator: Operator, key: bytes) -> bytes:
    """An operator in setting 17."""
    salt = os.urandom(8)
    tag = mac.cmac(key, salt + operator.code.encode("ascii"))
    return bytes((operator.number,)) + operator.role.encode("ascii") + salt + tag[:8]


def _now() -> datetime.datetime:
    """UTC: the terminal may believe that it is not earlier."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def settings_blob(key: bytes, values: dict[int, bytes], generation: int = 1) -> bytes:
    """The sealed settings that fill one sector."""
    plain = os.urandom(16)
    for identifier, value in values.items():
        plain += bytes([identifier]) + len(value).to_bytes(2, "big") + value
    plain += bytes(-len(plain) % 16)
    head = b"KS\x01\x00" + generation.to_bytes(4, "big") + len(plain).to_bytes(2, "big") + bytes(6)
    sealer = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    blob = head + sealer.update(plain) + sealer.finalize()
    return blob + mac.cmac(key, blob)


def initial_key_block(kbpk: bytes, initial_key_id: bytes, bdk: bytes) -> bytes:
    """The terminal's DUKPT initial key as an ASCII TR-31 key block, version D, with the IK optional block."""
    return key_store.initial_key_block(kbpk, initial_key_id, dukpt.initial_key(bdk, initial_key_id))
