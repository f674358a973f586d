# SPDX-License-Identifier: MIT
"""Any bytes decode to a message or raise the decoder's own error."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from tools.host.errors import FrameError, SealError
from tools.host.keys import seal
from tools.host.wire import codec
from tools.host.wire.message import Message, read

_TILL = Terminal()
_FRAMES = [
    _TILL.sale(_TILL.record(100, Card().tap(100)))[2:],
    _TILL.reversal(_TILL.record(100, Card().tap(100)))[2:],
    _TILL.close(100, 1)[2:],
    _TILL.handshake()[2:],
]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_raise_only_the_decoders_own_errors(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        read(b"\x60\0\3\0\0\x61\x31\0\0\1\0" + data)
    with contextlib.suppress(FrameError):
        list(codec.split(bytearray(data)))
    with contextlib.suppress(SealError):
        seal.read_tlv(data)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(_FRAMES), st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=4))
def test_changed_frames_are_read_or_raise_frame_error(frame: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(frame)
    for at, value in changes:
        changed[at % len(frame)] = value
    with contextlib.suppress(FrameError):
        message = read(bytes(changed))
        assert isinstance(message, Message) and len(message.content_hash()) == 64


@given(st.sampled_from(_FRAMES), st.sampled_from([0x00, 0x10, 0x70]))
def test_the_content_hash_excludes_only_the_envelope(frame: bytes, status: int) -> None:
    plain = read(frame)
    other = bytearray(frame)
    other[1:5] = b"\0\7\0\7"
    other[7] = status | other[7] & 0x0F
    other[-8:] = bytes(8)
    at = frame.index(plain.ksn)
    other[at + 8 : at + 12] = b"\0\0\0\x77"
    assert read(bytes(other)).content_hash() == plain.content_hash()
    other[8] ^= 1  # the version is part of the content
    assert read(bytes(other)).content_hash() != plain.content_hash()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 700), max_size=30))
def test_frames_survive_any_split_of_the_stream(cuts: list[int]) -> None:
    stream = b"".join(codec.with_length(frame) for frame in _FRAMES)
    buffer, found = bytearray(), []
    at = 0
    for size in [*cuts, len(stream)]:
        buffer += stream[at : at + size]
        at += size
        found += codec.split(buffer)
    assert found == _FRAMES and not buffer
