# SPDX-License-Identifier: MIT
"""`python -m tools.provision` at the keyboard: what it asks, what it refuses, what it never prints. And the label."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.provision import inspection
from host_tests.harness.provision.bench import Chip
from tools.device_key import device_key
from tools.hardware import partitions
from tools.hardware.catalogue import OWN, boards
from tools.host.keys import mac
from tools.host.tables.terminal_settings import OfflineLimits
from tools.provision import __main__ as command
from tools.provision import form, label
from tools.provision.chip import Target
from tools.provision.device import Terminal
from tools.provision.errors import BadInput
from tools.provision.merchant_host import MerchantHost
from tools.provision.run import STEPS

PASSWORD = "correct horse battery"
ANSWERS = ["KASSA077", "898000000000077", "老街茶馆", "en", "10.0.0.1", "kassa-shop", PASSWORD, PASSWORD, "", ""]


@pytest.fixture
def at_keyboard(chip: Chip, unix: Target, monkeypatch: pytest.MonkeyPatch):  # noqa: ANN201 - a function
    """`at_keyboard(answers, *options)` runs the command for this chip."""
    monkeypatch.setattr(command, "_targets", lambda name: [unix])

    def run(answers: list[str], *options: object) -> Result:
        home = chip.home.parent
        given = [
            "--port",
            chip.port,
            "--host-home",
            home / "host",
            "--test-keys",
            "--labels",
            home / "labels",
            *options,
        ]
        result = CliRunner().invoke(command.main, [str(each) for each in given], input="\n".join(answers) + "\n")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return run


def test_a_person_provisions_a_chip_and_no_password_is_shown(at_keyboard, chip: Chip) -> None:  # noqa: ANN001
    result = at_keyboard(ANSWERS)
    assert result.exit_code == 0, result.output
    assert all(text in result.output for text in STEPS.values()) and "11/11" in result.output
    assert "unix, MAC 02aabbccdd01" in result.output and "standard's test key" in result.output
    assert PASSWORD not in result.output and "is a new host" in result.output
    (values,) = inspection.settings(chip.home)
    assert (values[0x01], values[0x0A], values[0x0B]) == (b"KASSA077", b"kassa-shop", PASSWORD.encode())
    code = result.output.partition("Supervisor code ")[2][:6]
    key = device_key(chip.secret, b"settings")
    assert code.isdigit() and values[0x0E][8:] == mac.cmac(key, values[0x0E][:8] + code.encode())
    assert (chip.home.parent / "labels" / "KASSA077.png").exists()
    again = at_keyboard(ANSWERS)
    assert (
        again.exit_code == 2 and "provision: refused: this chip has a secret and is terminal KASSA077" in again.output
    )
    assert "is a new host" not in again.output and "Terminal id" not in again.output  # refused before anything is asked


def test_a_supervisor_code_that_was_typed_is_not_shown(at_keyboard, chip: Chip) -> None:  # noqa: ANN001
    result = at_keyboard([*ANSWERS[:-2], "135790", "135790"])
    assert result.exit_code == 0 and "135790" not in result.output


def test_the_command_line_takes_no_secret() -> None:
    options = {name for each in command.main.params for name in each.opts}
    assert options and not any(
        word in name for name in options for word in ("wifi", "password", "code", "secret", "key=")
    )


def test_parameters_and_scheme_keys_come_from_files(at_keyboard, chip: Chip, tmp_path: Path) -> None:  # noqa: ANN001
    parameters, keys = tmp_path / "parameters.json", tmp_path / "keys.json"
    parameters.write_text(json.dumps({"offline_limits": {"payment": 4200}, "largest_sale": 99900}))
    keys.write_text(json.dumps([{"rid": "A000000003", "index": 1, "modulus": "C1" * 128, "exponent": 3}]))
    result = at_keyboard(ANSWERS, "--parameters", parameters, "--ca-keys", keys)
    assert result.exit_code == 0, result.output
    (values,) = inspection.settings(chip.home)
    assert values[0x0C] == OfflineLimits(payment=4200).pack() and int.from_bytes(values[0x10], "big") == 99900
    assert b"\xc1" * 128 in inspection.partition(chip.home, "cards")


@pytest.mark.parametrize(("option", "content"), [
    ("--parameters", "{"), ("--parameters", "[]"), ("--parameters", '{"largest_sale": -1}'),
    ("--parameters", '{"offline_limits": {"payments": 1}}'), ("--parameters", '{"wifi_password": "x"}'),
    ("--ca-keys", '{"unknown": 1}'), ("--ca-keys", '[{"rid": "A0", "index": 1, "modulus": "C1", "exponent": 3}]'),
])  # fmt: skip
def test_a_bad_file_changes_nothing(at_keyboard, chip: Chip, tmp_path: Path, option: str, content: str) -> None:  # noqa: ANN001
    (tmp_path / "bad.json").write_text(content)
    result = at_keyboard(ANSWERS, option, tmp_path / "bad.json")
    assert result.exit_code == 2 and "bad.json" in result.output and not (chip.home / "efuse.bin").exists()


def test_a_board_that_does_not_exist_is_refused_with_the_names_there_are() -> None:
    result = CliRunner().invoke(command.main, ["--port", "/dev/ttyNONE", "--board", "kassa_s4"])
    assert result.exit_code == 2 and "no board 'kassa_s4'; there are: kassa_esp32, kassa_s3" in result.output


def test_a_port_that_does_not_answer_is_an_error() -> None:
    result = CliRunner().invoke(command.main, ["--port", "/dev/ttyNONE"])
    assert result.exit_code == 1 and "provision: /dev/ttyNONE" in result.output


@pytest.mark.parametrize(("field", "value"), [
    ("terminal_id", "KASSA1"), ("terminal_id", "KASSA 01"), ("merchant_id", "1" * 16), ("merchant_name", ""),
    ("merchant_name", "茶" * 21), ("language", "fr"), ("host_address", "a b"), ("host_port", 0), ("host_port", 65536),
    ("wifi_name", ""), ("wifi_name", "茶" * 11), ("wifi_password", "short"), ("wifi_password", "x" * 64),
    ("supervisor_code", "12345"), ("supervisor_code", "12345a"),
])  # fmt: skip
def test_what_would_make_no_terminal_is_refused_by_name(field: str, value: object) -> None:
    good = {"supervisor_code": "123456"}
    form.check(Terminal(**good))
    with pytest.raises(BadInput) as refusal:
        form.check(Terminal(**{**good, field: value}))
    said = str(refusal.value)
    assert field.replace("_", " ").split()[0].lower() in said.lower().replace("-", "") and (
        not value or str(value) not in said
    )


def test_both_tables_of_a_board_have_its_data_at_the_same_places() -> None:
    for each in boards():
        target = Target.of(each)
        own = {row.label: (row.address, row.size) for row in partitions.read_csv(each.folder / OWN)}
        assert len(target.partitions) == 4 and target.partitions.items() <= own.items()


def test_the_label_can_be_scanned_and_names_the_terminal(tmp_path: Path, inside: Inside) -> None:
    """Module for module what the terminal's own encoder makes of the same text."""
    terminal = Terminal(terminal_id="KASSA077")
    wanted = "KASSA 1\nTID KASSA077\nMID 898000000000001\nMAC 02:AA:BB:CC:DD:01\nKCV 0A1B2C"
    image = Image.open(label.save(tmp_path, terminal, "02aabbccdd01", "0A1B2C"))
    side, rows = inside("qr", "matrix", wanted.encode().hex())
    bits, stride = bytes.fromhex(rows), (side + 7) // 8
    for y in range(side):
        for x in range(side):
            dark = bits[y * stride + x // 8] >> (7 - x % 8) & 1
            assert image.getpixel(((x + 4) * 6 + 3, (y + 4) * 6 + 3)) == (0 if dark else 255), (x, y)
    assert all(image.getpixel((x, y)) for x in range(24) for y in range(image.height))  # the quiet zone
    text = image.crop(((side + 8) * 6, 0, image.width, image.height))
    assert text.getextrema() == (0, 255) and image.info["dpi"][0] == pytest.approx(300, abs=1)


def test_the_check_value_is_the_cmac_of_zeros_under_the_initial_key(tmp_path: Path) -> None:
    """ANSI X9.24-3:2017 gives this initial key for its test key and this id."""
    host = MerchantHost(tmp_path, test_keys=True)
    initial = bytes.fromhex("1273671EA26AC29AFA4D1084127652A1")
    assert host.check_value(bytes.fromhex("1234567890123456")) == mac.cmac(initial, bytes(16)).hex()[:6].upper()
    host.close()
