# SPDX-License-Identifier: MIT
"""The command APDUs of a contactless reader (ISO/IEC 7816-4; EMV Books 1 and 3), built in the arena."""

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
    """Return the status word of a response APDU. Raises CardError if there is none."""
    size = len(answer)
    if size < 2:
        raise CardError("response without a status word")
    return answer[size - 2] << 8 | answer[size - 1]


def select_ppse(arena: "Arena") -> memoryview:
    """Build SELECT for the PPSE, the directory of contactless applications."""
    return select(arena, _PPSE, 0, len(_PPSE))


def select(arena: "Arena", name: "Bytes", start: int, size: int) -> memoryview:
    """Build SELECT for the application with AID name[start:start + size]."""
    command = arena.command
    pack_into(">BBBBB", command, 0, 0x00, 0xA4, 0x04, 0x00, size)
    for index in range(size):
        command[5 + index] = name[start + index]
    command[5 + size] = 0
    return command[: 6 + size]


def get_processing_options(arena: "Arena", terms: "Terms", pdol: "Tlv | None") -> memoryview:
    """Build GET PROCESSING OPTIONS with the data requested by the PDOL under the cursor.

    Without a PDOL the command data are an empty template 83. Raises CardError if the PDOL requests too much.
    """
    command = arena.command
    end = 7
    if pdol is not None:
        end = dol.fill(pdol.data, pdol.start, pdol.end, terms.known, command, 8)
        size = end - 8
        if size > 0x7F:
            pack_into(">BB", command, 6, 0x81, size)
        else:  # a short length takes one byte: move the values one byte to the left
            for index in range(7, 7 + size):
                command[index] = command[index + 1]
            end -= 1
            command[6] = size
    else:
        command[6] = 0
    if end - 5 > 255:
        raise CardError("DOL: requests too much data")
    pack_into(">BBBBBB", command, 0, 0x80, _GPO, 0x00, 0x00, end - 5, 0x83)
    command[end] = 0
    return command[: end + 1]


def generate_ac(arena: "Arena", terms: "Terms", kind: int, cdol: "Tlv") -> memoryview:
    """Build GENERATE AC with the data requested by the CDOL under the cursor.

    `kind` is the reference control parameter (P1). Raises CardError if the CDOL requests too much.
    """
    command = arena.command
    end = dol.fill(cdol.data, cdol.start, cdol.end, terms.known, command, 5)
    pack_into(">BBBBB", command, 0, 0x80, GENERATE_AC, kind, 0x00, end - 5)
    command[end] = 0
    return command[: end + 1]


def read_record(arena: "Arena", sfi: int, record: int) -> memoryview:
    """Build READ RECORD for record number `record` of the file with short file identifier `sfi`."""
    pack_into(">BBBBB", arena.command, 0, 0x00, 0xB2, record, sfi << 3 | 4, 0)
    return arena.command[:5]
