# SPDX-License-Identifier: MIT
"""The commands a contactless reader sends (ISO/IEC 7816-4; EMV Book 1 and 3), laid out in the arena."""

from struct import pack_into

from micropython import const

from kassa.card import dol
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.card.terms import Terms
    from kassa.card.tlv import Bytes, Tlv

SW_OK = const(0x9000)
SW_USE_CONTACT = const(0x6984)
SW_NEXT_APPLICATION = const(0x6985)
SW_SEE_PHONE = const(0x6986)
_GPO = const(0xA8)
GENERATE_AC = const(0xAE)

_PPSE = b"2PAY.SYS.DDF01"


def status(answer: "Bytes") -> int:
    """The status word of a response APDU. Raises CardError when there is none."""
    size = len(answer)
    if size < 2:
        raise CardError("an answer without a status word")
    return answer[size - 2] << 8 | answer[size - 1]


def select_ppse(arena: "Arena") -> memoryview:
    """SELECT the directory of contactless applications."""
    return select(arena, _PPSE, 0, len(_PPSE))


def select(arena: "Arena", name: "Bytes", start: int, size: int) -> memoryview:
    """SELECT the application with AID name[start:start + size]."""
    command = arena.command
    pack_into(">BBBBB", command, 0, 0x00, 0xA4, 0x04, 0x00, size)
    for index in range(size):
        command[5 + index] = name[start + index]
    command[5 + size] = 0
    return command[: 6 + size]


def get_processing_options(arena: "Arena", terms: "Terms", pdol: "Tlv | None") -> memoryview:
    """GET PROCESSING OPTIONS with what the PDOL under the cursor asks for; with nothing when there is no PDOL."""
    command = arena.command
    end = 7
    if pdol is not None:
        end = dol.fill(pdol.data, pdol.start, pdol.end, terms.known, command, 8)
        size = end - 8
        if size > 0x7F:
            pack_into(">BB", command, 6, 0x81, size)
        else:  # the values move one to the left: a short length takes one byte
            for index in range(7, 7 + size):
                command[index] = command[index + 1]
            end -= 1
            command[6] = size
    else:
        command[6] = 0
    if end - 5 > 255:
        raise CardError("DOL: asks for too much")
    pack_into(">BBBBBB", command, 0, 0x80, _GPO, 0x00, 0x00, end - 5, 0x83)
    command[end] = 0
    return command[: end + 1]


def generate_ac(arena: "Arena", terms: "Terms", kind: int, cdol: "Tlv") -> memoryview:
    """GENERATE AC for a cryptogram of `kind` (reference control parameter), with what the CDOL asks for."""
    command = arena.command
    end = dol.fill(cdol.data, cdol.start, cdol.end, terms.known, command, 5)
    pack_into(">BBBBB", command, 0, 0x80, GENERATE_AC, kind, 0x00, end - 5)
    command[end] = 0
    return command[: end + 1]


def read_record(arena: "Arena", sfi: int, record: int) -> memoryview:
    """READ RECORD `record` of the file with short identifier `sfi`."""
    pack_into(">BBBBB", arena.command, 0, 0x00, 0xB2, record, sfi << 3 | 4, 0)
    return arena.command[:5]
