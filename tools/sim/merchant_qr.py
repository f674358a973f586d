# SPDX-License-Identifier: MIT
"""The payload of the QR code that the customer scans: EMV QRCPS Merchant-Presented Mode 1.1, dynamic."""

from binascii import crc_hqx

_GUID = "A000000615000101"  # ours, from a test range; identifies the wallet's network
_CATEGORY, _CNY, _COUNTRY, _CITY = "5814", "156", "CN", "BEIJING"


def payload(uid: bytes, amount: int, merchant: str, name: str) -> bytes:
    """The payload. `amount` in minor units, `merchant` DE 42; the reference label is the order number (uid)."""
    account = _item("00", _GUID) + _item("01", merchant)
    fields = [
        _item("00", "01"),
        _item("01", "12"),
        _item("26", account),
        _item("52", _CATEGORY),
        _item("53", _CNY),
        _item("54", f"{amount // 100}.{amount % 100:02}"),
        _item("58", _COUNTRY),
        _item("59", name[:25]),
        _item("60", _CITY),
        _item("62", _item("05", uid.hex()[:25])),
    ]
    text = "".join(fields) + "6304"
    return f"{text}{checksum(text.encode()):04X}".encode()


def checksum(data: bytes) -> int:
    """CRC-16/CCITT-FALSE over everything up to and including "6304"."""
    return crc_hqx(data, 0xFFFF)


def _item(name: str, value: str) -> str:
    return f"{name}{len(value):02}{value}"
