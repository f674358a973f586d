# SPDX-License-Identifier: MIT
"""The steps that run on the chip, sent after facts.py. Errors are exceptions at the REPL; they contain no secrets."""

import hashlib
import os

import machine
from esp32 import NVS, Partition
from kassa.crypto.device_keys import CARDS, JOURNAL, KBPK, KEYRING, SETTINGS, device_key, self_test
from kassa.drivers import nvs_secret
from kassa.errors import CryptoError, JournalDamaged, KassaError, KeyringError, SettingsError
from kassa.vault.keyring.keyring import Keyring
from kassa.vault.settings import settings

_SECTOR = 4096
_BLANK = b"\xff" * 256


def feed() -> None:
    """A watchdog that the terminal has started goes on after Ctrl-C: a step must end within its 20 s."""
    machine.WDT(timeout=20000).feed()


def partition(label: str) -> Partition:
    return Partition.find(Partition.TYPE_DATA, label=label)[0]


def secret():  # noqa: ANN201 - bytearray or None
    """The device secret, None if there is none."""
    try:
        return nvs_secret.read()
    except OSError:
        return None


def hexed(data) -> str:
    return "".join("%02x" % byte for byte in data)


def held() -> dict:
    """What is on this chip. Opens journal, keys and settings as a boot does.

    {"secret": bool, "journal": "" or why it cannot be read, "count", "sequence", "watermark", "closed", "flags": open
    reversal 1, open batch close 2; "keys": initial key id as hex or "", "terminal": id or "", "sector", "generation" of
    the settings}
    """
    found = {"secret": False, "journal": "", "count": 0, "sequence": 0, "watermark": 0, "closed": 0, "flags": 0}
    found.update({"keys": "", "terminal": "", "sector": -1, "generation": 0})
    root = secret()
    if root is None:
        found["journal"] = "" if is_blank("journal") else "no secret"
    else:
        found["secret"] = True
        read_journal(root, found)
        found["keys"] = open_keys(root)[1]
        values = settings.Settings(partition("settings"), device_key(root, SETTINGS), os.urandom)
        try:
            values.open()
            found["terminal"] = str(values.get(settings.TERMINAL), "utf-8")
            found["sector"], found["generation"] = values.sector, values.generation
        except SettingsError:
            pass
    return found


def read_journal(root: bytearray, found: dict) -> None:
    from kassa.vault.journal.journal import Journal
    from kassa.vault.journal.mount import mount

    journal = Journal(partition("journal"), device_key(root, JOURNAL))
    try:
        mount(journal)
    except JournalDamaged as error:
        found["journal"] = str(error)
        return
    state = journal.state
    for name in ("count", "sequence", "watermark", "closed"):
        found[name] = getattr(state, name)
    found["flags"] = state.reversing | state.closing << 1


def open_keys(root: bytearray):  # noqa: ANN201 - (Keyring, its initial key id as hex, or "")
    """Open the keyring; a staged key block is loaded and erased, as at the first boot."""
    keyring = Keyring(partition("keyring"), device_key(root, KEYRING), os.urandom)
    try:
        keyring.open(device_key(root, KBPK))
    except (KeyringError, CryptoError):
        return keyring, ""
    return keyring, hexed(keyring.initial_id)


def is_blank(label: str) -> bool:
    flash, page = partition(label), bytearray(256)
    for sector in range(flash.ioctl(4, 0)):
        if not sector % 32:
            feed()
        for offset in range(0, _SECTOR, 256):
            flash.readblocks(sector, page, offset)
            if page != _BLANK:
                return False
    return True


def make_secret() -> bool:
    """Test the chip as a boot does, draw the secret with the radio on, and keep it in NVS.

    Without a radio or the bootloader's noise source the chip's generator is only pseudo-random (ESP-IDF Programming Guide,
    Random Number Generation).
    """
    import network

    if secret() is not None:
        raise KassaError("a secret is there already")
    radio = network.WLAN(network.WLAN.IF_STA)
    radio.active(True)
    try:
        self_test(os.urandom)
        drawn = os.urandom(32)
    finally:
        radio.active(False)
    store = NVS("kassa")
    store.set_blob("secret", drawn)
    store.commit()
    if secret() != drawn:
        raise KassaError("NVS does not hold the secret")
    return True


def sealing_keys() -> list:
    """The three keys that what comes next is sealed with. The secret, journal key and keyring key stay here."""
    root = nvs_secret.read()
    return [hexed(device_key(root, purpose)) for purpose in (SETTINGS, CARDS, KBPK)]


def erase(label: str, first: int, count: int) -> bool:
    flash = partition(label)
    for sector in range(first, first + count):
        feed()
        flash.ioctl(6, sector)
    return True


def write(label: str, sector: int, offset: int, text: str) -> bool:
    """Program bytes, given as hex, within a blank sector."""
    partition(label).writeblocks(sector, bytes.fromhex(text), offset)
    return True


def digest(label: str, first: int, count: int) -> str:
    """SHA-256 over sectors as they are in flash."""
    flash, page, total = partition(label), bytearray(256), hashlib.sha256()
    for sector in range(first, first + count):
        feed()
        for offset in range(0, _SECTOR, 256):
            flash.readblocks(sector, page, offset)
            total.update(page)
    return hexed(total.digest())


def load_keys(used: int) -> str:
    """Load the staged block and erase it. No counter up to `used` will be issued. Returns the initial key id."""
    keyring, name = open_keys(nvs_secret.read())
    if name:
        keyring.skip_used(used)
        keyring.reserve_ahead()
    return name


def check() -> list:
    """Open everything as a boot does. Returns [terminal id, initial key id, bytes of the card tables]."""
    from kassa.vault.card_tables.ca_public_keys import Authorities

    root = nvs_secret.read()
    values = settings.Settings(partition("settings"), device_key(root, SETTINGS), os.urandom)
    values.open()
    cards = Authorities(partition("cards"), device_key(root, CARDS))
    return [str(values.get(settings.TERMINAL), "utf-8"), open_keys(root)[1], cards.size()]
