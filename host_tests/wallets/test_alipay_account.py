# SPDX-License-Identifier: MIT
"""Alipay's table of acquirers.toml: keys of the wrong kind are named at the start, and both modes work over TLS."""

from __future__ import annotations

import asyncio
import base64
import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from host_tests.harness.alipay import (
    AMOUNT,
    APP,
    CERTIFICATES,
    CODE,
    certificate,
    key,
    made,
    pem,
    private,
    public,
    table,
)
from tools.host.acquirers import configuration, orders
from tools.host.acquirers.alipay.account import BILLS, GATEWAY
from tools.host.acquirers.provider import YES, Order, Outcome
from tools.host.errors import ProviderFault, SetupError
from tools.host.store.ledger import Ledger
from tools.sim.alipay import Alipay

pytestmark = pytest.mark.filterwarnings("ignore:X509.get_issuer is deprecated")  # in the SDK, whose pyOpenSSL is pinned
_PKCS1 = PrivateFormat.TraditionalOpenSSL


def in_certificates(**more: Any) -> dict[str, Any]:
    return table(alipay_public_key=None, **CERTIFICATES | more)


def held() -> dict[str, bytes]:
    return {"app.crt": pem("app"), "alipay.crt": pem("alipay"), "roots.crt": pem("root") + pem("root2")}


def ec_key() -> bytes:
    made_of = ec.generate_private_key(ec.SECP256R1())
    return made_of.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def small() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)


def locked() -> bytes:
    return key("app").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))


@pytest.mark.parametrize(
    ("values", "secrets", "wrong"),
    [
        (table(app_id=None), {}, "app_id: is missing"),
        (table(app_id="wx88"), {}, "app_id"),
        (table(private_key=None), {}, "private_key: is missing"),
        (table(private_key="nowhere"), {}, "private_key: there is no secret of this name"),
        (table(), {"app_key": b"no key"}, "private_key: is no private key"),
        (table(), {"app_key": b"-----BEGIN PRIVATE KEY-----\n"}, "private_key: is no private key"),
        (table(), {"app_key": locked()}, "private_key: is no private key without a passphrase"),
        (table(), {"app_key": public("app")}, "private_key: is no private key"),
        (table(), {"app_key": pem("app")}, "private_key: is no private key"),
        (table(), {"app_key": ec_key()}, "private_key: an RSA key of 2048"),
        (table(), {"app_key": small().private_bytes(Encoding.PEM, _PKCS1, NoEncryption())}, "private_key: an RSA key"),
        (table(alipay_public_key=None), {}, "alipay_public_key: is missing"),
        (table(), {"alipay_key": b"\xff\x00"}, "alipay_public_key: is no public key"),
        (table(), {"alipay_key": private("alipay")}, "alipay_public_key: is no public key"),
        (table(), {"alipay_key": pem("alipay")}, "alipay_public_key: is no public key"),
        (table(), {"alipay_key": public("app")}, "alipay_public_key: this is the app's own public key"),
        (table(**CERTIFICATES), held(), "alipay_public_key: public key mode or certificate mode"),
        (in_certificates(alipay_certificate=None), held(), "alipay_certificate: is missing"),
        (
            in_certificates(),
            held() | {"app.crt": pem("alipay")},
            "app_certificate: is not the certificate of private_key",
        ),
        (in_certificates(), held() | {"app.crt": public("app")}, "app_certificate: is no certificate"),
        (in_certificates(), held() | {"alipay.crt": pem("app")}, "alipay_certificate: this is the app's own"),
        (in_certificates(), held() | {"roots.crt": b""}, "alipay_root_certificates: is no certificate"),
        (table(gateway="http://openapi.alipay.com/gateway.do"), {}, "gateway: an address with https"),
        (table(bills="ftp://x"), {}, "bills: an address with https"),
        (table(subject="a=b"), {}, "subject"),
        (table(product="face to face"), {}, "product: a product code"),
        (table(trust="ca"), {"ca": b"none"}, "trust: certificates"),
        (table(trust="ca"), {"ca": private("app")}, "trust: certificates"),
        (table(sandbox="yes"), {}, "sandbox: true or false"),
        (table(privat_key="x"), {}, "privat_key: is unknown; private_key"),
    ],
)
def test_what_is_wrong_is_named_at_the_start(values: dict[str, Any], secrets: dict[str, bytes], wrong: str) -> None:
    with pytest.raises(SetupError) as found:
        made(values, **secrets)
    assert wrong in str(found.value) and "BEGIN" not in str(found.value)


@pytest.mark.parametrize("form", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("kind", [_PKCS1, PrivateFormat.PKCS8])
def test_keys_as_alipays_tool_gives_them(form: Encoding, kind: PrivateFormat) -> None:
    """PEM, or one line of base64; PKCS#1 or PKCS#8."""
    own = key("app").private_bytes(form, kind, NoEncryption())
    theirs = key("alipay").public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
    if form == Encoding.DER:
        own, theirs = base64.b64encode(own), base64.encodebytes(theirs)
    with Alipay(APP, key("app").public_key(), key("alipay"), orders.now) as gateway:
        values = table(gateway=gateway.address + "/gateway.do", bills=gateway.address)
        assert pay(made(values, app_key=own, alipay_key=theirs)).answer == YES


def test_sandbox_and_production_are_two_addresses() -> None:
    for sandbox in (False, True):
        inside = made(table(sandbox=sandbox))._gateway
        assert (inside._url, inside._bills) == (GATEWAY[sandbox], BILLS[sandbox])
    assert GATEWAY[0] == "https://openapi.alipay.com/gateway.do" and "sandbox" in GATEWAY[1]


def pay(provider: Any) -> Outcome:
    order = Order((7).to_bytes(16).hex(), AMOUNT, "CNY", False, datetime.datetime.now(datetime.UTC), CODE)

    async def go() -> Outcome:
        try:
            return await provider.pay(order)
        finally:
            await provider.close()

    return asyncio.run(go())


def test_certificate_mode_names_its_certificates_and_knows_alipays() -> None:
    """The numbers of the certificates are what the simulated gateway works out by itself."""
    shown = certificate("app"), certificate("alipay"), certificate("root")
    with Alipay(APP, key("app").public_key(), key("alipay"), orders.now, shown) as gateway:
        values = in_certificates(gateway=gateway.address + "/gateway.do", bills=gateway.address)
        assert pay(made(values, **held() | {"roots.crt": pem("root")})).answer == YES
        with pytest.raises(ProviderFault, match="app-cert-sn|another certificate"):
            pay(made(values, **held()))  # another list of roots
        gateway.numbers = (gateway.numbers[0], "0" * 32, gateway.numbers[2])
        with pytest.raises(ProviderFault, match="another certificate than alipay_certificate: 0{32}"):
            pay(made(values, **held() | {"roots.crt": pem("root")}))


def test_root_certificates_are_all_found_however_their_lines_end() -> None:
    numbers = []
    for between in (b"", b"\n", b"\r\n\r\n", b"subject=/C=CN\n"):
        roots = between.join((pem("root"), pem("root2"))).replace(b"\n", b"\r\n" if b"\r" in between else b"\n")
        provider = made(in_certificates(), **held() | {"roots.crt": roots})
        numbers.append(provider._gateway._signing._sdk.alipay_root_cert_sn)  # type: ignore[union-attr]
    assert len(set(numbers)) == 1 and numbers[0].count("_") == 1


def test_only_a_trusted_server_is_spoken_to(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_bytes(pem("server"))
    (tmp_path / "server.key").write_bytes(private("server"))
    files = str(tmp_path / "server.pem"), str(tmp_path / "server.key")
    with Alipay(APP, key("app").public_key(), key("alipay"), orders.now, tls=files) as gateway:
        assert gateway.address.startswith("https://")
        values = table(gateway=gateway.address + "/gateway.do", bills=gateway.address)
        assert pay(made(values | {"trust": "ca"}, ca=pem("root"))).answer == YES
        calls = len(gateway.calls)
        for more, secrets in (({}, {}), ({"trust": "ca"}, {"ca": pem("other", "other")})):
            with pytest.raises(ProviderFault, match="cannot be reached: ConnectError"):
                pay(made(values | more, **secrets))
        named = {"gateway": f"https://localhost:{gateway.port}/gateway.do"}  # trusted, but called otherwise
        with pytest.raises(ProviderFault, match="cannot be reached: ConnectError"):
            pay(made(values | {"trust": "ca"} | named, ca=pem("root")))
        assert len(gateway.calls) == calls


def test_an_account_is_read_from_acquirers_toml(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "host.db")
    held = {"app-key": private("app"), "alipay-key": public("alipay")}
    lines = ["[[wallet]]", 'kind = "alipay"', "fee = 38", "sandbox = true"]
    lines += [f'{name} = "{value}"' for name, value in table().items()]
    (tmp_path / configuration.FILE).write_text("\n".join(lines))
    _, wallets = configuration.load(tmp_path, ledger, lambda name: held[name])
    assert [(each.name, each.kind, each.fee) for each in wallets.wallets.values()] == [("alipay", "alipay", 38)]
    ledger.close()
