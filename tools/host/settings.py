# SPDX-License-Identifier: MIT
"""The host's settings: one class a section of HOME/kassa-host.toml, one field a key. settings_file.py reads them."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

LOOPBACK = "127.0.0.1"
_A_DAY = 86400


def _text(default: str, says: str, *, one_of: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"says": says, "one_of": one_of})


def _whole(default: int, least: int, most: int, says: str) -> Any:
    return field(default=default, metadata={"says": says, "least": least, "most": most})


def _yes(default: bool, says: str) -> Any:
    return field(default=default, metadata={"says": says})


def _port(default: int, says: str) -> Any:
    return _whole(default, 0, 65535, says)


@dataclass(frozen=True, slots=True)
class Terminals:
    """Where terminals connect."""

    address: str = _text("0.0.0.0", "address that terminals connect to")
    port: int = _port(7443, "port that terminals connect to, TLS; 0 picks a free one")


@dataclass(frozen=True, slots=True)
class Page:
    """Where the web page is."""

    address: str = _text(LOOPBACK, "address of the page; only this computer reaches 127.0.0.1")
    port: int = _port(7480, "port of the page; 0 picks a free one")
    hosts: str = _text("", "other names under which the page may be called, such as that of a web server before it")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where /metrics, /healthz and /readyz are."""

    address: str = _text(LOOPBACK, "address of /metrics, /healthz and /readyz")
    port: int = _port(7490, "their port; 0 picks a free one")


@dataclass(frozen=True, slots=True)
class Database:
    """What keeps the books."""

    url: str = _text(
        "sqlite:///host.db", "URL of the database, sqlite or postgresql; a file is relative to the host's folder"
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the secret keys are."""

    pkcs11: str = _text("", "library of a PKCS#11 token that holds the keys; empty: they are in keys.sealed")
    token: str = _text("kassa", "the token's label")
    test: bool = _yes(False, "take the published test keys, which protect nothing: true or false")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may take from the others. Times in whole seconds."""

    connections: int = _whole(
        4096, 1, 100_000, "open connections with a certificate; beyond them the longest idle ends"
    )
    connections_per_terminal: int = _whole(4, 1, 100, "connections of one certificate; one more ends its longest idle")
    connections_per_address: int = _whole(512, 1, 100_000, "connections of one address (IPv6: of a /64), in TLS or not")
    handshakes: int = _whole(1024, 1, 10_000, "connections that are not through TLS yet; one more ends the oldest")
    handshakes_per_address: int = _whole(256, 1, 10_000, "of these, from one address")
    handshake_seconds: int = _whole(15, 1, 120, "from the connection to the end of its TLS handshake")
    frame_seconds: int = _whole(20, 1, 300, "from the first byte of a frame to its last")
    idle_seconds: int = _whole(120, 5, _A_DAY, "a connection without a frame ends")
    answer_seconds: int = _whole(30, 1, 300, "a terminal that does not read its answers is hung up on")
    bad_macs: int = _whole(5, 1, 1000, "frames with a wrong MAC on one connection; then it ends")
    shutdown_seconds: int = _whole(30, 0, 600, "what is being answered may take this long when the host stops")


@dataclass(frozen=True, slots=True)
class Log:
    """What is logged, and how."""

    form: str = _text("auto", "json, human, or auto: human on a terminal, else json", one_of=("auto", "json", "human"))
    level: str = _text("info", "the least that is logged", one_of=("debug", "info", "warning", "error"))
    wire: str = _text("", "a file for every frame, to find faults with; empty: none")


@dataclass(frozen=True, slots=True)
class Outside:
    """Those who move the money."""

    gateway: str = _text("", "module:function that returns issuer and wallet; empty: no card or code is decided")


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose account pays the merchants: for the payment files."""

    name: str = _text("", "whose account it is; empty: no payment files")
    account: str = _text("", "IBAN, or account number")
    bic: str = _text("", "the bank's BIC")


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections."""

    terminals: Terminals = field(default_factory=Terminals)
    page: Page = field(default_factory=Page)
    metrics: Metrics = field(default_factory=Metrics)
    database: Database = field(default_factory=Database)
    keys: Keys = field(default_factory=Keys)
    limits: Limits = field(default_factory=Limits)
    log: Log = field(default_factory=Log)
    outside: Outside = field(default_factory=Outside)
    payer: Payer = field(default_factory=Payer)


DEFAULTS = Settings()


def sections() -> dict[str, dict[str, dataclasses.Field[Any]]]:
    """The fields of every section, by section and key."""
    parts = {part.name: getattr(DEFAULTS, part.name) for part in dataclasses.fields(Settings)}
    return {name: {each.name: each for each in dataclasses.fields(part)} for name, part in parts.items()}
