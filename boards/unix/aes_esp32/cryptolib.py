# SPDX-License-Identifier: MIT
"""`cryptolib` with AES objects in the memory layout of the ESP32 port. Put its folder first on the path.

The ESP32's AES peripheral expands the key itself, so an object holds the raw key and no key schedule. The type is
followed by a union: {key 32 B, size} until the first use, afterwards IDF's esp_aes_context {size, size in hardware,
key 32 B}. Then come the IV (16 B), mode and direction (one byte each). With 32-bit words the key is at +4, then at +6.

A class written in Python cannot have such objects. So we copy the interpreter's own type and replace its methods by
ours. An object is a buffer that begins with the address of this type.
"""

import struct

import ucryptolib
import uctypes

_WORD = struct.calcsize("P")
_SLOTS = _WORD + 16  # in a type: base, flags u16, name u16, the index of each of twelve slots u8, the slots
_LOCALS = _WORD + 15  # offset of the index of the slot with the methods
_ITEMS = 3 * _WORD  # in a list: base, capacity, length, address of the items

_UNUSED = _WORD  # key, then its size
_USED = _WORD + 2
_IV = _WORD + 34
_MODE = _WORD + 50
_DIRECTION = _WORD + 51  # 0 not used yet
_SIZE = _WORD + 52
_CBC = 2
_ENCRYPT, _DECRYPT = 1, 2


def _address(thing: object) -> int:
    """The address of an object. `id` is negative for addresses from 2**30 to 2**31."""
    at = id(thing)
    return at if at >= 0 else at + (1 << 31)


def _word(at: int) -> int:
    return struct.unpack("P", uctypes.bytearray_at(at, _WORD))[0]


def _object(at: int):  # noqa: ANN202 - an object of our own type
    """The object at this address."""
    box = [None]
    struct.pack_into("P", uctypes.bytearray_at(_word(_address(box) + _ITEMS), _WORD), 0, at)
    return box[0]


def _encrypt(self, data, into=None):
    return _run(self, _ENCRYPT, data, into)


def _decrypt(self, data, into=None):
    return _run(self, _DECRYPT, data, into)


def _run(self, direction: int, data, into):  # noqa: ANN202
    """Read key and IV from the object's memory at each call, as the ESP32's driver does."""
    memory = uctypes.bytearray_at(_address(self), _SIZE)
    if not memory[_DIRECTION]:
        key, size = bytes(memory[_UNUSED : _UNUSED + 32]), memory[_UNUSED + 32]
        memory[_UNUSED:_IV] = bytes(_IV - _UNUSED)
        memory[_UNUSED] = memory[_UNUSED + 1] = size
        memory[_USED : _USED + size] = key[:size]
        memory[_DIRECTION] = direction
    elif memory[_DIRECTION] != direction:
        raise ValueError("can't encrypt & decrypt")
    given = bytes(data)
    key, iv = memory[_USED : _USED + memory[_UNUSED]], memory[_IV : _IV + 16]
    cipher = ucryptolib.aes(key, memory[_MODE], iv)
    done = cipher.encrypt(given) if direction == _ENCRYPT else cipher.decrypt(given)
    if memory[_MODE] == _CBC and given:
        memory[_IV : _IV + 16] = (done if direction == _ENCRYPT else given)[-16:]
    if into is None:
        return done
    memoryview(into)[: len(done)] = done
    return into


def _made() -> bytearray:
    """Create the type. Raises RuntimeError if the interpreter's types do not have the expected layout."""
    source = _address(ucryptolib.aes)
    at = _SLOTS + (uctypes.bytearray_at(source, _SLOTS)[_LOCALS] - 1) * _WORD
    if _word(_word(source + at)) != _address(dict):
        raise RuntimeError("cryptolib.aes has an unexpected layout")
    made = bytearray(uctypes.bytearray_at(source, at + _WORD))
    struct.pack_into("P", made, at, _address(_methods))
    return made


_methods = {"encrypt": _encrypt, "decrypt": _decrypt}
_type = _made()


def aes(key, mode: int, iv=None):  # noqa: ANN201
    """A cipher object of our type. Raises what `ucryptolib.aes` raises for the same arguments."""
    ucryptolib.aes(key, mode, iv)
    memory = bytearray(_SIZE)
    struct.pack_into("P", memory, 0, uctypes.addressof(_type))
    memory[_UNUSED : _UNUSED + len(key)] = key
    memory[_UNUSED + 32] = len(key)
    memory[_IV : _IV + 16] = iv or bytes(16)
    memory[_MODE] = mode
    return _object(uctypes.addressof(memory))
