# SPDX-License-Identifier: MIT
"""A shop with an account at the simulated Alipay: its keys, its table of acquirers.toml, and its event loop."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tools.host.acquirers import orders
from tools.host.acquirers.alipay import create
from tools.host.acquirers.alipay.provider import Alipay as Provider
from tools.host.acquirers.provider import Order, Refund
from tools.host.acquirers.section import Section
from tools.host.errors import KeyMissing
from tools.sim.alipay import Alipay
from tools.sim.alipay_books import Books

APP, CODE, AMOUNT = "2021000000000001", "281234567890123456", 1250
T = TypeVar("T")


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """A key of RSA 2048, the same for a name in all tests."""
    return rsa.generate_private_key(65537, 2048)


def private(name: str) -> bytes:
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public(name: str) -> bytes:
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def certificate(name: str, ca: str = "root") -> x509.Certificate:
    """Of the key `name`, signed by the key `ca`, the same in all tests; for a server on loopback, too."""
    return _certificate(name, ca)


@cache
def _certificate(name: str, ca: str) -> x509.Certificate:
    parts = (NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, "Ant"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "CA")

    def called(common: str) -> x509.Name:
        named = (*parts, (NameOID.COMMON_NAME, common))
        return x509.Name([x509.NameAttribute(kind, value) for kind, value in named])

    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(called(name)).issuer_name(called(ca))
    builder = builder.public_key(key(name).public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=365))
    builder = builder.add_extension(x509.BasicConstraints(ca=name == ca, path_length=None), critical=True)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return builder.add_extension(loopback, critical=False).sign(key(ca), hashes.SHA256())


def pem(name: str, ca: str = "root") -> bytes:
    return certificate(name, ca).public_bytes(Encoding.PEM)


SECRETS = {"app-key": lambda: private("app"), "alipay-key": lambda: public("alipay")}
CERTIFICATES = {
    "app_certificate": "app.crt",
    "alipay_certificate": "alipay.crt",
    "alipay_root_certificates": "roots.crt",
}


def table(**more: Any) -> dict[str, Any]:
    """A table of acquirers.toml in public key mode. None removes a key."""
    values = {"app_id": APP, "private_key": "app-key", "alipay_public_key": "alipay-key"} | more
    return {name: value for name, value in values.items() if value is not None}


def made(values: dict[str, Any], **secrets: bytes) -> Provider:
    """The provider of a table. `secrets`: more of them, by name with _ for -."""
    held = {name: get() for name, get in SECRETS.items()}
    held |= {name.replace("_", "-"): value for name, value in secrets.items()}

    def secret(name: str) -> bytes:
        if name not in held:
            raise KeyMissing(f"there is no secret {name!r}")
        return held[name]

    section = Section("[[wallet]] 1", values, secret)
    provider = create(section)
    section.done()
    return provider


class Shop:
    """`clock`: the time now in ms, of host and Alipay alike, in a list so that a test can change it."""

    def __init__(self, gateway: Alipay, clock: list[int]) -> None:
        self.gateway, self.clock, self._began = gateway, clock, clock[0]
        self.provider = self.restarted()
        self._runner = asyncio.Runner()

    @property
    def books(self) -> Books:
        return self.gateway.books

    def anew(self) -> None:
        """Alipay has seen nothing yet, and it is the time of the start."""
        self.clock[0] = self._began
        self.gateway.books = Books(self.gateway.clock)
        self.gateway.moods.clear()
        self.gateway.calls.clear()

    def restarted(self, **more: Any) -> Provider:
        """A new provider, as after a restart of the host."""
        address = self.gateway.address
        self.provider = made(table(gateway=address + "/gateway.do", bills=address, **more))
        return self.provider

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def loop(self) -> asyncio.AbstractEventLoop:
        return self._runner.get_loop()

    def order(self, number: int = 1, code: str = CODE, **more: Any) -> Order:
        """An order that is asked now. `code` "": ours is shown."""
        at = datetime.datetime.fromtimestamp(self.clock[0] / 1000, datetime.UTC)
        values = {"amount": AMOUNT, "currency": "CNY", "is_shown": not code, "asked_at": at, "code": code} | more
        return Order(number.to_bytes(16).hex(), **values)

    def back(self, order: Order, number: int = 9, amount: int = AMOUNT) -> Refund:
        return Refund(number.to_bytes(16).hex(), order, amount)

    def close(self) -> None:
        self.run(self.provider.close())
        self._runner.close()


@contextmanager
def open_shop(monkeypatch: Any) -> Iterator[Shop]:
    """A shop in public key mode whose clock is its own."""
    clock = [1_800_000_000_000]
    monkeypatch.setattr(orders, "now", lambda: clock[0])
    with Alipay(APP, key("app").public_key(), key("alipay"), lambda: clock[0]) as gateway:
        shop = Shop(gateway, clock)
        yield shop
        shop.close()
