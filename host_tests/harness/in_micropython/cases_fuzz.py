# SPDX-License-Identifier: MIT
"""Cases for the fuzzer: seeded mutations of what cards, readers and hosts send, fed to the parsers."""

import gc
import random

from cases_card import Known

from kassa.card import dol, tlv, transaction
from kassa.card.arena import Arena
from kassa.card.terms import Terms
from kassa.errors import CardError, WireError
from kassa.uplink.inbox import Inbox
from kassa.uplink.iso8583 import Answer

_APPROVED = 2
_SIGNED_FROM = 3  # the first answer of a tap in which every byte is signed
_MOST_BYTES = 32768  # that parsing one input may allocate, garbage included
_HOT = (0x00, 0x01, 0x6F, 0x70, 0x77, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x9F, 0xFF)
_KNOWN = bytes.fromhex("9f02060000000123459a032611239f6604208040009f4e034b6173")

_arena = Arena()
_taps = []
_frames = []


def load_answers(frames):
    """Set the whole host frames to mutate, in hex."""
    _frames[:] = [bytes.fromhex(frame) for frame in frames]


def wire(seed, count):
    """Feed mutated answer streams in pieces: raises only WireError, bounded memory; [inputs, frames parsed]."""
    random.seed(seed)
    understood = 0
    for _ in range(count):
        stream = b"".join([_frames[random.randrange(len(_frames))] for _ in range(3)])
        stream = _mutate(stream, 1600)
        inbox = Inbox()
        before = gc.mem_alloc()
        at = 0
        try:
            while at < len(stream):
                size = 1 + random.getrandbits(8)
                for frame in inbox.frames(memoryview(stream)[at : at + size]):
                    answer = Answer(frame)
                    for element in (4, 11, 38, 39, 41, 48, 53, 54, 60, 62, 63):
                        bytes(answer.get(element))
                    assert not answer.check(bytes(16)), "a forged MAC was accepted"
                    understood += 1
                at += size
        except WireError:
            pass
        assert gc.mem_alloc() - before < 3 * _MOST_BYTES, "memory"
        gc.collect()
    return [count, understood]


def load(taps):
    """Set the approved taps to mutate: [[answers in hex], [RID, index, modulus, exponent]]."""
    _taps[:] = [([bytes.fromhex(answer) for answer in answers], key) for answers, key in taps]


def _bytes(size):
    return bytes([random.getrandbits(8) for _ in range(size)])


def _mutate(data, most):
    """Apply one to four changes; returns at most `most` bytes."""
    data = bytearray(data)
    for _ in range(1 + random.getrandbits(2)):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + 1 + random.getrandbits(4))
        how = random.getrandbits(3)
        if how == 0 and at < len(data):
            data[at] ^= 1 << random.getrandbits(3)
        elif how == 1 and at < len(data):
            data[at] = _HOT[random.randrange(len(_HOT))]
        elif how == 2:
            data[at:end] = b""
        elif how == 3:
            data[at:at] = data[at:end]
        elif how == 4:
            data[at:at] = _bytes(1 + random.getrandbits(3))
        elif how == 5:
            data[at:] = b""
        elif how == 6 and at < len(data):
            data[at] = (data[at] + 1 - 2 * random.getrandbits(1)) & 0xFF
        else:
            other = _some_answer()
            data[at:end] = other[: random.getrandbits(6)]
    return bytes(data[:most])


def _some_answer():
    answers, _ = _taps[random.randrange(len(_taps))]
    return answers[random.randrange(len(answers))]


def _tree(data):
    tlv.check(data, 0, len(data))


def _list(data):
    into = bytearray(300)
    if dol.fill(data, 0, len(data), _KNOWN, into, 0) > dol.MAX_VALUES:
        raise ValueError("too many values")


def trees(seed, count):
    """Parse random bytes as TLV and DOL: success or CardError, in bounded memory; [inputs, parsed]."""
    random.seed(seed)
    good = 0
    for _ in range(count):
        data = _mutate(_some_answer(), 258)
        for parse in (_tree, _list):
            gc.collect()
            before = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
            try:
                parse(data)
                good += 1
            except CardError:
                pass
            except Exception as error:
                raise ValueError("%s of %s: %r" % (parse.__name__, data.hex(), error))  # noqa: B904  MicroPython has no chaining
            if before and gc.mem_alloc() - before > _MOST_BYTES:
                raise ValueError("%s of %s: %d bytes" % (parse.__name__, data.hex(), gc.mem_alloc() - before))
    return [2 * count, good]


def taps(seed, count):
    """Run taps with changed answers: an outcome or CardError, an empty arena, no false approval; [taps, good]."""
    random.seed(seed)
    good = 0
    for _ in range(count):
        answers, key = _taps[random.randrange(len(_taps))]
        said = list(answers)
        for _ in range(1 + random.getrandbits(1)):
            at = random.randrange(len(said))
            said[at] = _mutate(said[at][:-2], 256) + (said[at][-2:] if random.getrandbits(3) else _bytes(2))
        try:
            kind = _tap(said, key)
        except CardError:
            kind = 0
        except Exception as error:
            raise ValueError("a tap of %s: %r" % ([answer.hex() for answer in said], error))  # noqa: B904
        good += kind in (1, _APPROVED)
        if kind == _APPROVED and said[_SIGNED_FROM:] != answers[_SIGNED_FROM:]:
            raise ValueError("approved: %s" % [answer.hex() for answer in said])
        left = (_arena.command, _arena.answer, _arena.candidates, _arena.store)
        if any(any(part) for part in left) or kind not in (1, _APPROVED) and any(_arena.body):
            raise ValueError("the arena is not empty after %s" % [answer.hex() for answer in said])
        _arena.wipe()
    return [count, good]


def _tap(said, key):
    terms = Terms(
        12345, 156, 156, b"\x26\x11\x23", b"\xa1\xb2\xc3\xd4", merchant=b"KASSA", authorities=Known([key], []),
    )  # fmt: skip
    steps = transaction.read(terms, _arena)
    at = 0
    try:
        command = next(steps)
        while True:
            if command is None:
                command = steps.send(None)
                continue
            answer = said[at] if at < len(said) else b"\x6a\x83"
            at += 1
            if at > 64:
                raise ValueError("a tap without end")
            command = steps.send(memoryview(answer))
    except StopIteration as end:
        return end.value.kind
    finally:
        steps.close()


class _Bus:
    """Returns the frames it was given, whatever is written."""

    def __init__(self):
        self.frames = []
        self.reads = 0

    def __call__(self, level=0):
        return 0

    def write(self, data):
        pass

    def readinto(self, into):
        self.reads += 1
        for index in range(len(into)):
            into[index] = 0
        if self.frames:
            frame = self.frames.pop(0)[: len(into)]
            into[: len(frame)] = frame


def frames(seed, count):
    """Mutated frames from the reader chip: an answer, or a card or reader error, within eight reads."""
    import asyncio

    from kassa.drivers.pn532 import PN532
    from kassa.drivers.pn532_spi import SpiLink
    from kassa.errors import CardGone, ReaderFault

    random.seed(seed)
    bus = _Bus()
    reader = PN532(SpiLink(bus, bus), bus)
    reader._line = bus
    into = bytearray(260)
    good = 0
    for _ in range(count):
        answer = _some_answer()
        content = b"\xd5\x41\x00" + answer
        if len(content) > 255:
            size = bytes((0xFF, 0xFF, len(content) >> 8, len(content) & 0xFF))
            size += bytes((-(size[2] + size[3]) & 0xFF,))
        else:
            size = bytes((len(content), -len(content) & 0xFF))
        frame = b"\x00\x00\xff" + size + content + bytes((-sum(content) & 0xFF, 0))
        ack = b"\x00\x00\xff\x00\xff\x00"
        bus.frames = [ack if random.getrandbits(3) else _mutate(ack, 6), _mutate(frame, 276)]
        if random.getrandbits(1):
            bus.frames.append(_mutate(frame, 276))
        sent = [one.hex() for one in bus.frames]
        bus.reads = 0
        try:
            size = asyncio.run(reader.exchange(memoryview(b"\x00\xa4\x04\x00\x00"), into))
            good += 1
            if not 2 <= size <= len(into):
                raise ValueError("size")
        except (CardError, CardGone, ReaderFault):
            pass
        except Exception as error:
            raise ValueError("frames %s: %r" % (sent, error))  # noqa: B904
        if bus.reads > 8 or any(reader._frame):
            raise ValueError("frames %s: %d reads" % (sent, bus.reads))
    return [count, good]
