# SPDX-License-Identifier: MIT
"""`cryptolib` whose AES objects lie in memory as the ESP32 port's do. Its folder goes before everything else on the path.

There AES is a peripheral that expands the key itself, so the object holds the raw key and no schedule: behind the type a
union of {key 32 B, size} until the first use and IDF's esp_aes_context {size, size in hardware, key 32 B} from then on,
then IV 16 B and a byte each for mode and direction. With the words of a chip the key is at +4, then at +6.

A class written in Python cannot have such objects, so a type is made of a copy of the interpreter's own, with our
methods in it. An object is a buffer that begins with the address of this type.
"""

import struct

import ucryptolib
import uctypes

_WORD = struct.calcsize("P")
_SLOTS = _WORD + 16  # of a type: base, flags u16, name u16, the index of each of twelve slots u8, the slots
_LOCALS = _WORD + 15  # where the index of the slot for the methods is
_ITEMS = 3 * _WORD  # of a list: base, room, length, address of the items

_UNUSED = _WORD  # key, then its size
_USED = _WORD + 2
_IV = _WORD + 34
_MODE = _WORD + 50
_DIRECTION = _WORD + 51  # 0 not used yet
_SIZE = _WORD + 52
_CBC = 2
_ENCRYPT, _DECRYPT = 1, 2


def _address(thing: object) -> int:
    """Where an object lies; `id` drops the top bit of addresses from 2**30 to 2**31."""
    at = id(thing)
    return at if at >= 0 else at + (1 << 31)


def _word(at: int) -> int:
    return struct.unpack("P", uctypes.bytearray_at(at, _WORD))[0]


def _object(at: int):  # noqa: ANN202 - of our own type
    """What lies at this address, as an object."""
    box = [None]
    struct.pack_into("P", uctypes.bytearray_at(_word(_address(box) + _ITEMS), _WORD), 0, at)
    return box[0]


def _encrypt(self, data, into=None):
    return _run(self, _ENCRYPT, data, into)


def _decrypt(self, data, into=None):
    return _run(self, _DECRYPT, data, into)


def _run(self, direction: int, data, into):  # noqa: ANN202
    """Key and IV are read from the object's memory each time, as the driver gives them to the hardware."""
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
    """The type. Raises RuntimeError on an interpreter whose types are not laid out as expected."""
    source = _address(ucryptolib.aes)
    at = _SLOTS + (uctypes.bytearray_at(source, _SLOTS)[_LOCALS] - 1) * _WORD
    if _word(_word(source + at)) != _address(dict):
        raise RuntimeError("no place for methods in cryptolib.aes")
    made = bytearray(uctypes.bytearray_at(source, at + _WORD))
    struct.pack_into("P", made, at, _address(_methods))
    return made


_methods = {"encrypt": _encrypt, "decrypt": _decrypt}
_type = _made()


def aes(key, mode: int, iv=None):  # noqa: ANN201
    """An object of our type. Refuses what `ucryptolib.aes` refuses."""
    ucryptolib.aes(key, mode, iv)
    memory = bytearray(_SIZE)
    struct.pack_into("P", memory, 0, uctypes.addressof(_type))
    memory[_UNUSED : _UNUSED + len(key)] = key
    memory[_UNUSED + 32] = len(key)
    memory[_IV : _IV + 16] = iv or bytes(16)
    memory[_MODE] = mode
    return _object(uctypes.addressof(memory))
