# SPDX-License-Identifier: MIT
"""Third-party drivers (nfcpy and libnfc) on the virtual PN532 over a pty, to check it against other implementations."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nfc.clf
import nfc.clf.pn532
import nfc.clf.transport
import pytest

from tools.cards.card import SW_NOT_FOUND, SW_OK, Card
from tools.cards.catalogue import make
from tools.cards.payment import PPSE
from tools.world.pn532_link import PN532, HsuLink, frame
from tools.world.pn532_pty import Pty

SELECT_PPSE = b"\x00\xa4\x04\x00\x0e" + PPSE + b"\x00"
SELECT_VISA = bytes.fromhex("00a4040007a000000003101000")
PUBLISHED = Path(__file__).resolve().parents[3] / "shared/fixtures/emv/pn532"
RECORDED = PUBLISHED / "nfcpy_1.0.4_open_sense_exchange_host_commands.txt"


@pytest.fixture
def chip() -> PN532:
    return PN532()


@pytest.fixture
def port(chip: PN532) -> Iterator[str]:
    with Pty(HsuLink(chip)) as pty:
        yield pty.path


@pytest.fixture
def device(port: str) -> Iterator[nfc.clf.pn532.Device]:
    found = nfc.clf.pn532.init(nfc.clf.transport.TTY(port))
    yield found
    found.close()


def test_nfcpy_recognises_the_chip_and_passes_its_diagnostics(device: nfc.clf.pn532.Device) -> None:
    assert device._chipset_name == "PN532v1.6"
    assert device.chipset.diagnose("line")  # 262 bytes both ways: extended frames
    assert device.chipset.diagnose("ram") and device.chipset.diagnose("rom")
    device.chipset.write_register("CIU_TxMode", 0x80)
    assert device.chipset.read_register("CIU_TxMode", "CIU_RxMode") == [0x80, 0x00]


def test_nfcpy_finds_nothing_in_an_empty_field_and_then_a_card(chip: PN532, device: nfc.clf.pn532.Device) -> None:
    wanted = nfc.clf.RemoteTarget("106A")
    assert device.sense_tta(wanted) is None
    card = make("jade")
    chip.field.place(card)
    target = device.sense_tta(wanted)
    assert (target.sens_res, target.sel_res, target.sdd_res) == (b"\x04\x00", b"\x20", card.uid)
    assert device.sense_tta(wanted) is not None
    chip.field.remove()
    assert device.sense_tta(wanted) is None
    chip.field.place(make("tide"))
    assert device.sense_tta(wanted) is None


def test_nfcpy_reads_a_card_with_a_256_byte_record(chip: PN532, device: nfc.clf.pn532.Device) -> None:
    chip.field.place(make("lotus"))
    device.chipset.set_parameters(0x14)
    assert device.sense_tta(nfc.clf.RemoteTarget("106A")) is not None
    answer, more = device.chipset.in_data_exchange(SELECT_PPSE, 1)
    assert (answer[0], answer[-2:], more) == (0x6F, SW_OK, False)
    assert device.chipset.in_data_exchange(SELECT_VISA, 1)[0][-2:] == SW_OK
    record, more = device.chipset.in_data_exchange(bytes.fromhex("00b2021400"), 1)
    assert (len(record), record[:2], record[-2:], more) == (256, b"\x70\x81", SW_OK, False)


def test_nfcpy_runs_iso_14443_4_in_software(chip: PN532, device: nfc.clf.pn532.Device) -> None:
    """nfcpy's type 4 tag code does RATS, block numbers and chaining itself, through InCommunicateThru."""

    class Notes(Card):
        def transmit(self, capdu: bytes) -> bytes:
            return capdu[:40] + bytes(capdu[4]) + SW_OK

    chip.field.place(Notes())
    target = device.sense_tta(nfc.clf.RemoteTarget("106A"))
    ats = device.send_cmd_recv_rsp(target, b"\xe0\x80", 0.1)
    assert ats == Notes.ats
    for number in range(4):
        block = device.send_cmd_recv_rsp(target, bytes((0x02 | number & 1,)) + SELECT_VISA, 0.1)
        assert block == bytes((0x02 | number & 1,)) + SELECT_VISA[:40] + bytes(7) + SW_OK
    assert device.send_cmd_recv_rsp(target, b"\xb2", 0.1) == b"\xa3"  # R(NAK), other number: acknowledged
    assert device.send_cmd_recv_rsp(target, b"\xc2", 0.1) == b"\xc2"
    with pytest.raises(nfc.clf.TimeoutError):
        device.send_cmd_recv_rsp(target, b"\x02" + SELECT_VISA, 0.1)


def test_nfcpy_commands_in_random_order_get_the_expected_answers(chip: PN532, device: nfc.clf.pn532.Device) -> None:
    """Three hundred random commands, checked against a small model of the chip."""
    dice = random.Random(20261123)
    chip.field.place(make("lotus"))
    chipset = device.chipset
    chipset.set_parameters(0x14)
    listed = selected = False
    for _ in range(300):
        move = dice.choice(["list", "ppse", "select", "record", "release", "off", "version", "diagnose"])
        if move == "list":
            listed, selected = chipset.in_list_passive_target(1, 0, b"") is not None or listed, False
        elif move in ("release", "off"):
            chipset.command(0x52, b"\x00", 0.1) if move == "release" else None
            chipset.rf_configuration(0x01, b"\x00")
            listed = selected = False
        elif move == "version":
            assert chipset.get_firmware_version() == b"\x32\x01\x06\x07"
        elif move == "diagnose":
            assert chipset.diagnose("line")
        else:
            command = {"ppse": SELECT_PPSE, "select": SELECT_VISA, "record": bytes.fromhex("00b2021400")}[move]
            if not listed:
                with pytest.raises(nfc.clf.pn532.Chipset.Error) as refused:
                    chipset.in_data_exchange(command, 0.5)
                assert refused.value.errno == 0x27
                continue
            answer = chipset.in_data_exchange(command, 0.5)[0]
            selected = selected or move == "select"
            assert answer[-2:] == (SW_OK if move != "record" or selected else b"\x69\x85")


def test_nfc_list_of_libnfc_finds_the_card(chip: PN532, port: str) -> None:
    if shutil.which("nfc-list") is None:
        pytest.skip("no nfc-list here (Debian: libnfc-bin)")
    card = make("amber")
    chip.field.place(card)
    done = subprocess.run(
        ["nfc-list", "-v"], env={**os.environ, "LIBNFC_DEFAULT_DEVICE": f"pn532_uart:{port}"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "1 ISO14443A passive target(s) found" in done.stdout
    assert "UID (NFCID3): " + "  ".join(f"{byte:02x}" for byte in card.uid) in done.stdout
    assert "ATS: " + "  ".join(f"{byte:02x}" for byte in card.ats[1:]) in done.stdout
    assert "Max Frame Size accepted by PICC: 256 bytes" in done.stdout
    assert "0 ISO14443B passive target(s) found" in done.stdout


GOLDEN = PUBLISHED.parent / "transcripts/emv-bertlv/contactless-mastercard.apdu"


class Recorded(Card):
    """A card that answers as in a published recording."""

    def __init__(self, path: Path) -> None:
        messages = [bytes.fromhex(line[1:]) for line in path.read_text().splitlines() if line[:1] in "<>"]
        self.turns = list(zip(messages[::2], messages[1::2], strict=True))

    def transmit(self, capdu: bytes) -> bytes:
        return next((answer for command, answer in self.turns if command == capdu), SW_NOT_FOUND)


def test_nfcpy_plays_a_whole_recording(chip: PN532, device: nfc.clf.pn532.Device) -> None:
    if not GOLDEN.exists():
        pytest.skip("no published EMV data beside this checkout")
    card = Recorded(GOLDEN)
    chip.field.place(card)
    device.chipset.set_parameters(0x14)
    assert device.sense_tta(nfc.clf.RemoteTarget("106A")) is not None
    for command, answer in card.turns:
        got, more = device.chipset.in_data_exchange(command, 1)
        assert (bytes(got), more) == (answer, False)
    assert max(len(answer) for _, answer in card.turns) > 252 and len(card.turns) >= 7


def test_tamashell_of_libnfc_reads_a_card(chip: PN532, port: str, tmp_path: Path) -> None:
    if shutil.which("pn53x-tamashell") is None:
        pytest.skip("no pn53x-tamashell here (Debian: libnfc-pn53x-examples)")
    chip.field.place(make("maple"))
    commands = [SELECT_PPSE, bytes.fromhex("00a4040007a000000004101000"), bytes.fromhex("80a8000005830301562200")]
    commands += [bytes.fromhex(f"00b20{record}1400") for record in (1, 2, 3)]
    script = tmp_path / "script"
    lines = ["02", "32 01 01", "4a 01 00", *(f"40 01 {command.hex(' ')}" for command in commands)]
    script.write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        ["pn53x-tamashell", script], env={**os.environ, "LIBNFC_DEFAULT_DEVICE": f"pn532_uart:{port}"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    output = done.stdout.replace("  ", " ")
    assert done.returncode == 0 and "Rx: 32 01 06 07" in output, done.stdout + done.stderr
    card = make("maple")
    for command in commands:
        assert card.transmit(command).hex(" ") in output, (command.hex(), output)


def test_every_command_of_a_recorded_host_is_answered(chip: PN532) -> None:
    if not RECORDED.exists():
        pytest.skip("no recorded host commands beside this checkout")
    commands = [line for line in RECORDED.read_text().splitlines() if line.startswith(("d4", "ACK"))]
    chip.field.place(make("jade"))
    link = HsuLink(chip)
    link.receive(bytes(10))
    for command in commands:
        if command.startswith("ACK"):
            link.receive(bytes.fromhex("0000ff00ff00"))
            assert link.send() == b""
            continue
        link.receive(frame(bytes.fromhex(command)))
        reply = link.send()
        assert reply.startswith(bytes.fromhex("0000ff00ff00")) and len(reply) > 6
        code = int(command[2:4], 16)
        at = 6 + (8 if reply[9:11] == b"\xff\xff" else 5)
        assert reply[at : at + 2] == bytes((0xD5, code + 1))
    assert len(commands) == 17
