# SPDX-License-Identifier: MIT
"""Messages of a dialect to bytes and back, by pyiso8583, with the MAC if the dialect has one."""

import hmac
import re
import warnings
from collections.abc import Mapping

import iso8583

with warnings.catch_warnings():  # `cryptography` calls TDES "decrepit"; acquirers still use it
    warnings.simplefilter("ignore")
    from psec import des, mac

from tools.host.acquirers.card.dialect import Dialect
from tools.host.errors import ProviderFault

_MAC_SIZE, _KEY_SIZE, _CHECK_SIZE, _ZEROS = 8, 16, 4, 1  # 1: padding with zeros (ISO 9797-1, method 1)
_MTI = re.compile("[0-9]{4}")
_KINDS = {"n": re.compile("[0-9]*"), "z": re.compile("[0-9]*[D=]?[0-9]*"), "an": re.compile("[ -~]*")}
Fields = dict[str, str]  # elements by number, and `t`, the MTI; b elements as hex


class MacFault(ProviderFault):
    """An answer whose MAC is wrong or missing. `fields`: which request it seems to be about."""

    def __init__(self, fields: Fields) -> None:
        super().__init__("the acquirer's answer has a wrong MAC")
        self.fields = fields


class Codec:
    """`zone_key`: 16 bytes (two-key TDES), shared with the acquirer; b"" without MAC."""

    def __init__(self, dialect: Dialect, zone_key: bytes = b"") -> None:
        self._dialect = dialect
        self._zone_key = zone_key

    def encode(self, mti: str, elements: Mapping[str, str], key: bytes | None = None) -> bytes:
        """A message as it is sent. `key`: of the session, for the MAC. Raises ProviderFault."""
        fields = {**elements, "t": mti}
        if self._dialect.framing.header:
            fields["h"] = self._dialect.framing.header.hex()
        where = _mac_element(fields)
        if key is not None:
            fields[where] = "00" * _MAC_SIZE
        try:
            raw, _ = iso8583.encode(fields, self._dialect.spec)
        except (iso8583.EncodeError, KeyError, ValueError):  # its text may hold card data
            raise ProviderFault("a message that cannot be encoded in the acquirer's dialect") from None
        message = bytes(raw)
        if key is not None:
            message = message[:-_MAC_SIZE] + self._mac(message[:-_MAC_SIZE], key)
        return self._dialect.framing.wrap(message)

    def decode(self, message: bytes, key: bytes | None = None) -> Fields:
        """An answer's elements. Raises ProviderFault if it is none, MacFault."""
        try:
            fields, _ = iso8583.decode(message, self._dialect.spec)
        except (iso8583.DecodeError, KeyError, ValueError):
            raise ProviderFault("the acquirer's answer cannot be decoded") from None
        forms = {name: _KINDS.get(self._dialect.spec[name]["desc"]) for name in fields if name.isdecimal()}
        if not _MTI.fullmatch(fields["t"]) or any(form and not form.fullmatch(fields[n]) for n, form in forms.items()):
            raise ProviderFault("the acquirer's answer has characters that do not belong there")
        if key is not None:
            given = fields.get(_mac_element(fields), "")
            if not hmac.compare_digest(given.lower(), self._mac(message[:-_MAC_SIZE], key).hex()):
                raise MacFault({name: fields.get(name, "") for name in self._dialect.match})
        return fields

    def session_key(self, fields: Fields) -> bytes | None:
        """The key that the answer to a sign-on brings; None if the dialect has none. Raises ProviderFault."""
        if not self._dialect.mac_key:
            return None
        try:
            sealed = bytes.fromhex(fields.get(self._dialect.mac_key, ""))
        except ValueError:
            sealed = b""
        if len(sealed) != _KEY_SIZE + _CHECK_SIZE:
            raise ProviderFault("the acquirer's sign-on brings no session key")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            key = des.decrypt_tdes_ecb(self._zone_key, sealed[:_KEY_SIZE])
            check = des.encrypt_tdes_ecb(key, bytes(8))[:_CHECK_SIZE]
        if not hmac.compare_digest(check, sealed[_KEY_SIZE:]):
            raise ProviderFault("the session key is under another zone key")
        return key

    def _mac(self, covered: bytes, key: bytes) -> bytes:
        """`covered`: from the header to before the MAC."""
        data = covered[len(self._dialect.framing.header) :]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return mac.generate_retail_mac(key[:8], key[8:], data, _ZEROS, _MAC_SIZE)


def _mac_element(fields: Mapping[str, str]) -> str:
    return "128" if any(name.isdecimal() and int(name) > 64 for name in fields) else "64"
