# SPDX-License-Identifier: MIT
"""The virtual PN532 on its host links: frames, modes, targets and faults. Expected bytes are from UM0701-02."""

import random

import pytest

from tools.cards.card import Card
from tools.cards.catalogue import make
from tools.world.pn532_link import PN532, HsuLink, SpiLink, frame

ACK = bytes.fromhex("0000ff00ff00")
NACK = bytes.fromhex("0000ffff0000")
ERROR = bytes.fromhex("0000ff01ff7f8100")
WAKE = bytes(10)


class Echo(Card):
    """Answers with the command and `longer` additional bytes."""

    def __init__(self, longer: int = 0) -> None:
        self.longer = longer
        self.received: list[bytes] = []

    def transmit(self, capdu: bytes) -> bytes:
        self.received.append(capdu)
        return capdu + bytes(self.longer)


class Host:
    """A host that talks to the chip over HSU and parses its frames."""

    def __init__(self) -> None:
        self.chip = PN532()
        self.link = HsuLink(self.chip)
        self.request("14 01 00 01", WAKE)

    def raw(self, data: bytes) -> bytes:
        self.link.receive(data)
        return self.link.send()

    def request(self, command: str, before: bytes = b"") -> bytes | None:
        """The reply to a command (hex, after D4) as bytes after D5; b"" for the error frame, None for none yet."""
        out = self.raw(before + frame(b"\xd4" + bytes.fromhex(command)))
        assert out.startswith(ACK)
        return self.content(out[len(ACK) :])

    @staticmethod
    def content(reply: bytes) -> bytes | None:
        if not reply:
            return None
        if reply == ERROR:
            return b""
        body = reply[8:-2] if reply[3:5] == b"\xff\xff" else reply[5:-2]
        assert reply == frame(body) and body[0] == 0xD5
        return body[1:]


@pytest.fixture
def host() -> Host:
    return Host()


def test_the_firmware_version_frame_is_that_of_the_data_sheet(host: Host) -> None:
    assert host.raw(bytes.fromhex("0000ff02fed4022a00")) == ACK + bytes.fromhex("0000ff06fad50332010607e800")


@pytest.mark.parametrize("command", ["0c", "0e01", "4e", "58", "8c00", "ff", "4a", "4a0300", "32"])
def test_unknown_and_malformed_commands_get_the_error_frame(host: Host, command: str) -> None:
    assert host.request(command) == b""


@pytest.mark.parametrize("size", [0, 1, 250, 251, 252, 253, 254, 255, 262])
def test_frames_of_every_length_are_echoed(host: Host, size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert host.request("0000" + data.hex()) == b"\x01\x00" + data


def test_a_frame_beyond_265_bytes_is_ignored(host: Host) -> None:
    assert host.raw(frame(b"\xd4\x00\x00" + bytes(263))) == b""
    assert host.request("02") is not None


@pytest.mark.parametrize("spoiled", [3, 4, 5, 7])
def test_a_frame_with_a_wrong_checksum_is_ignored(host: Host, spoiled: int) -> None:
    bad = bytearray(frame(b"\xd4\x02"))
    bad[spoiled] ^= 0x01
    assert host.raw(bytes(bad)) == b""
    assert host.raw(bytes(300)) == b""
    assert host.request("02") == bytes.fromhex("0332010607")


def test_frames_may_arrive_in_pieces_and_with_any_preamble(host: Host) -> None:
    whole = bytes(7) + frame(b"\xd4\x02") + bytes(5) + frame(b"\xd4\x04")
    out = b"".join(host.raw(whole[at : at + 1]) for at in range(len(whole)))
    assert out.count(ACK) == 2
    assert host.content(out[6:19]) == bytes.fromhex("0332010607")


def test_nack_repeats_the_last_reply(host: Host) -> None:
    first = host.raw(frame(b"\xd4\x02"))[6:]
    assert host.raw(NACK) == first
    assert host.raw(NACK) == first


def test_only_general_commands_work_before_sam_configuration() -> None:
    chip = PN532()
    link = HsuLink(chip)
    link.receive(WAKE + frame(b"\xd4\x4a\x01\x00"))
    assert link.send() == ACK + ERROR
    link.receive(frame(b"\xd4\x02"))
    assert link.send()[6:] == frame(bytes.fromhex("d50332010607"))


def test_a_sleeping_chip_misses_a_frame_without_a_long_preamble() -> None:
    link = HsuLink(PN532())
    link.receive(frame(b"\xd4\x02"))
    assert link.send() == b""
    link.receive(b"\x55\x55\x00\x00\x00" + frame(b"\xd4\x02"))
    assert link.send().startswith(ACK)


def test_a_powered_down_chip_wakes_only_from_the_selected_source(host: Host) -> None:
    assert host.request("16 20") == b"\x17\x00"  # SPI only
    assert host.raw(WAKE + frame(b"\xd4\x02")) == b""
    host.chip.wake("spi")
    assert host.request("02") is not None


def test_the_chip_waits_for_a_card_without_a_time_limit(host: Host) -> None:
    assert host.request("4a 01 00") is None
    host.chip.field.place(make("jade"))
    assert host.content(host.link.send()) == bytes.fromhex("4b01 01 0004 20 04 084b6173 0578807002")


@pytest.mark.parametrize("order", [ACK, frame(b"\xd4\x02")], ids=["ack", "new command"])
def test_a_host_ack_or_a_new_command_cancels_the_running_one(host: Host, order: bytes) -> None:
    assert host.request("4a 01 00") is None
    host.raw(order)
    host.chip.field.place(make("jade"))
    assert host.link.send() == b""


def test_polling_ends_after_the_configured_retries(host: Host) -> None:
    assert host.request("32 05 ff 01 02") == b"\x33"
    assert host.request("4a 01 00") == b"\x4b\x00"
    assert host.request("60 02 01 20") == b"\x61\x00"


def test_two_cards_are_two_separate_targets(host: Host) -> None:
    first, second = Echo(), Echo()
    host.chip.field.place(first)
    host.chip.field.place(second)
    reply = host.request("4a 02 00")
    assert reply is not None and reply[1] == 2
    assert host.request("40 01 aabb") == bytes.fromhex("4100aabb")
    assert host.request("40 02 ccdd") == bytes.fromhex("4100ccdd")
    assert (first.received, second.received) == ([b"\xaa\xbb"], [b"\xcc\xdd"])
    status = host.request("04")
    assert status is not None and status[3] == 2
    assert host.request("52 01") == b"\x53\x00"
    assert host.request("40 01 aa") == b"\x41\x27"
    assert host.request("40 02 ee") == b"\x41\x00\xee"


def test_auto_poll_reports_type_and_target_number(host: Host) -> None:
    host.chip.field.place(make("tide"))
    reply = host.request("60 01 01 20 23")
    assert reply is not None and reply[:3] == b"\x61\x01\x23" and reply[4] == 0x01


def test_a_type_b_card_is_found_only_by_a_type_b_request(host: Host) -> None:
    host.request("32 05 ff 01 00")
    host.chip.field.place(make("tide"))
    assert host.request("4a 01 00") == b"\x4b\x00"
    reply = host.request("4a 01 03 00")
    assert reply is not None and reply[:4] == b"\x4b\x01\x01\x50"


def test_deselect_halts_a_card_and_select_wakes_it(host: Host) -> None:
    host.request("32 05 ff 01 00")
    host.chip.field.place(Echo())
    host.request("4a 01 00")
    assert host.request("44 01") == b"\x45\x00"
    assert host.request("40 01 aa") == b"\x41\x01"
    assert host.request("54 01") == b"\x55\x00"
    assert host.request("40 01 aa") == b"\x41\x00\xaa"
    assert host.request("44 01") == b"\x45\x00"
    assert host.request("4a 01 00") == b"\x4b\x00"  # halted: does not answer REQA
    assert host.request("32 01 00") == b"\x33"  # but a new field resets it
    reply = host.request("4a 01 00")
    assert reply is not None and reply[1] == 1
    assert host.request("54 02") == b"\x55\x27"


def test_long_apdus_are_chained_with_more_information_both_ways(host: Host) -> None:
    card = Echo(longer=200)
    host.chip.field.place(card)
    host.request("4a 01 00")
    data = random.Random(7).randbytes(500)
    assert host.request("40 41 " + data[:262].hex()) == b"\x41\x00"
    reply = host.request("40 01 " + data[262:].hex())
    assert reply is not None and reply[:2] == b"\x41\x40" and len(reply) == 2 + 262
    answer = reply[2:]
    while reply[1] & 0x40:
        reply = host.request("40 01")
        assert reply is not None
        answer += reply[2:]
    assert answer == data + bytes(200)
    assert card.received == [data]


def test_the_chip_grants_waiting_time_extensions(host: Host) -> None:
    card = Echo()
    card.wtx = 4
    host.chip.field.place(card)
    host.request("4a 01 00")
    assert host.request("40 01 " + bytes(200).hex()) == b"\x41\x00" + bytes(200)


def test_a_removed_card_times_out_and_must_be_listed_again(host: Host) -> None:
    card = Echo()
    host.chip.field.place(card)
    host.request("4a 01 00")
    assert host.request("40 01") == b"\x41\x00"  # present
    host.chip.field.remove(card)
    assert host.request("40 01 aa") == b"\x41\x01"
    host.chip.field.place(card)
    assert host.request("40 01 aa") == b"\x41\x01"
    host.request("4a 01 00")
    assert host.request("40 01 aa") == b"\x41\x00\xaa"


def test_without_automatic_rats_the_host_runs_iso_14443_4_itself(host: Host) -> None:
    card = Echo()
    host.chip.field.place(card)
    assert host.request("12 00") == b"\x13"
    assert host.request("4a 01 00") == bytes.fromhex("4b01 01 0004 20 04 084b6173")
    assert host.request("42 e050") == b"\x43\x00" + card.ats
    assert host.request("42 02aabb") == bytes.fromhex("430002aabb")
    assert host.request("40 01 03cc") == bytes.fromhex("410003cc")


# --- SPI ------------------------------------------------------------------------------------------------------------


class Spi:
    """A host that talks to the chip over SPI, with one selection per call."""

    def __init__(self) -> None:
        self.chip = PN532()
        self.link = SpiLink(self.chip)
        self.turn(b"\x00")
        self.write(frame(b"\xd4\x14\x01\x00\x01"))
        self.read(6)
        self.read(9)

    def turn(self, out: bytes) -> bytes:
        self.link.select()
        back = self.link.transfer(out)
        self.link.deselect()
        return back

    def write(self, data: bytes) -> None:
        self.turn(b"\x01" + data)

    def read(self, size: int) -> bytes:
        return self.turn(b"\x03" + bytes(size))[1:]

    def ready(self) -> int:
        return self.turn(b"\x02\x00")[1]


def test_spi_status_and_irq_show_a_waiting_reply() -> None:
    spi = Spi()
    assert (spi.ready(), spi.link.level("irq")) == (0, 1)
    spi.write(frame(b"\xd4\x02"))
    assert (spi.ready(), spi.link.level("irq")) == (1, 0)
    assert spi.read(6) == ACK
    assert spi.link.level("irq") == 0
    assert spi.read(40) == frame(bytes.fromhex("d50332010607")).ljust(40, b"\x00")
    assert (spi.ready(), spi.link.level("irq")) == (0, 1)


def test_spi_reading_in_two_selections_repeats_a_byte() -> None:
    spi = Spi()
    spi.write(frame(b"\xd4\x02"))
    spi.read(6)
    reply = frame(bytes.fromhex("d50332010607"))
    assert spi.read(5) == reply[:5]
    assert spi.read(len(reply) - 4) == reply[4:]


def test_spi_irq_stays_high_unless_enabled() -> None:
    spi = Spi()
    spi.write(frame(b"\xd4\x14\x01\x00\x00"))
    assert (spi.ready(), spi.link.level("irq")) == (1, 1)


def test_the_first_spi_selection_wakes_the_chip_and_its_data_are_lost() -> None:
    link = SpiLink(PN532())
    spi = Spi.__new__(Spi)
    spi.link = link
    spi.write(frame(b"\xd4\x02"))
    assert spi.ready() == 0
    spi.write(frame(b"\xd4\x02"))
    assert spi.ready() == 1


def test_power_on_discards_a_waiting_reply() -> None:
    spi = Spi()
    spi.write(frame(b"\xd4\x02"))
    spi.chip.power_on()
    assert (spi.link.level("irq"), spi.turn(b"\x00\x00")[1], spi.ready()) == (1, 0, 0)


def test_commands_take_time_if_the_chip_has_a_clock() -> None:
    spi = Spi()
    spi.link.tick(1000)
    card = Echo()
    card.delay_ms = 70
    spi.chip.field.place(card)
    spi.write(frame(b"\xd4\x4a\x01\x00"))
    spi.read(6)
    assert spi.ready() == 0
    spi.link.tick(1005)
    assert spi.ready() == 1
    spi.read(40)
    spi.write(frame(b"\xd4\x40\x01\xaa"))
    spi.read(6)
    spi.link.tick(1070)
    assert spi.ready() == 0
    spi.link.tick(1080)
    assert spi.ready() == 1


def test_faults_corrupt_or_suppress_replies() -> None:
    spi = Spi()
    reply = frame(bytes.fromhex("d50332010607"))
    spi.link.faults.torn = spi.link.faults.checksum = 1
    for expected in (reply[:6].ljust(13, b"\x00"), reply[:-2] + bytes((reply[-2] ^ 0x5A,)) + b"\x00", reply):
        spi.write(frame(b"\xd4\x02"))
        spi.read(6)
        assert spi.read(13) == expected
    spi.link.faults.silent = True
    spi.write(frame(b"\xd4\x02"))
    assert (spi.ready(), spi.link.level("irq")) == (0, 1)
