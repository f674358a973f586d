# SPDX-License-Identifier: MIT
"""`python -m tools.journal`: its report on valid images, damaged images, and bytes that are no journal."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import ACCEPTED, DECLINED, INTENT, KEY, SECRET, SIZE, Flash
from tools.journal import image
from tools.journal.__main__ import main
from tools.world.flash import CHIP_SIZE, PARTITIONS

SECTOR, PAGE = image.SECTOR, image.PAGE
LAST = 39
REFUSED, FINAL = 3, 5


@pytest.fixture(scope="module")
def chips() -> dict[str, bytes]:
    """The image written by each interpreter; every test here starts from it."""
    return {}


@pytest.fixture
def good(inside: Inside, tmp_path: Path, chips: dict[str, bytes]) -> bytes:
    """Three sectors: 35 deferred payments, five of them answered; a declined intent; three more after a restart."""
    if inside.interpreter not in chips:
        flash = Flash(inside, tmp_path / "chip.bin").set(b"\xff" * SIZE)
        drain = ["drain", [1, 1, 2, 1, 1], [0, 1, 2, 3, 4]]
        first = [["prepare"], *accepts(0, 20), drain, *accepts(20, 15), ["mark", 0x6A, 800000777]]
        first += [["accept", 40, 123456, INTENT], ["final", DECLINED, "51"]]
        for steps in (first, [["prepare"], *accepts(50, 3)]):
            assert not flash.live(steps)["error"]
        chips[inside.interpreter] = flash.data
    return chips[inside.interpreter]


def accepts(first: int, count: int) -> list:
    return [["accept", first + index, 1000 + index, ACCEPTED] for index in range(count)]


def run(folder: Path, data: bytes, *options: str, secret: bytes | None = None) -> Result:
    """Run the command on these bytes. Asserts that it ends with its own exit status, not an exception."""
    path = folder / "image.bin"
    path.write_bytes(data)
    if secret is not None:
        (folder / "secret.bin").write_bytes(secret)
        options = (*options, "--secret", str(folder / "secret.bin"))
    result = CliRunner().invoke(main, [str(path), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code in (0, 1, 2)
    assert (result.exit_code == 2) == result.stderr.startswith("Error: ") and len(result.stderr.splitlines()) <= 1
    return result


def json_report(folder: Path, data: bytes, *options: str, secret: bytes | None = None) -> dict[str, Any]:
    """The JSON report of the command. Asserts that the text report agrees."""
    result = run(folder, data, "--json", *options, secret=secret)
    found = json.loads(result.stdout)
    assert result.exit_code == (1 if found["damage"] else 0)
    text = run(folder, data, *options, secret=secret)
    assert text.exit_code == result.exit_code and printed(text) == [one["sequence"] for one in found["records"]]
    assert all(one["what"] in text.stdout for one in found["damage"])
    return found


def printed(result: Result) -> list[int]:
    """The sequences in the table of records."""
    return [int(line.split()[0]) for line in result.stdout.splitlines() if re.match(r" *\d+ +\d+ \d{6} ", line)]


def damage(found: dict[str, Any]) -> list[tuple[Any, Any, str]]:
    return [(one["sector"], one["page"], one["what"]) for one in found["damage"]]


def flipped(data: bytes, at: int, bits: int = 4) -> bytes:
    hurt = bytearray(data)
    hurt[at] ^= bits
    return bytes(hurt)


def place(data: bytes, sequence: int) -> int:
    """The offset of the deferred record with this sequence."""
    return next(
        at
        for at in range(PAGE, len(data), PAGE)
        if data[at] == ACCEPTED and data[at + 4 : at + 8] == struct.pack(">I", sequence)
    )


@pytest.mark.parametrize("secret", [None, SECRET])
def test_a_valid_journal_is_reported_in_full(tmp_path: Path, good: bytes, secret: bytes | None) -> None:
    result = run(tmp_path, good, "--marks", secret=secret)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0 and lines[-1] == "nothing wrong was found"
    assert printed(result) == list(range(1, LAST + 1))
    assert lines[0] == "journal  8 sectors, 32768 bytes, 3 in use, serials 1..3, format 3"
    assert lines[1].startswith("tags     every one checked" if secret else "tags     not checked")
    assert lines[2:5] == [
        "open     epoch 1, batch 1",
        "records  39, sequences 1..39, final up to 5, closed up to 0",
        "pending  33, ¥332.88",
    ]
    shown = "  3     1 000003    ¥10.02 622202******0001 2025-05-08 06:13:22 accepted refused  ok      3"
    assert shown in lines and max(map(len, lines)) <= 100
    assert " 36     1 000041 ¥1,234.56 622202******0001 2025-05-08 06:14:00 intent   declined ok     41" in lines
    assert "     3    0  3 HEARD     2025-05-08 06:26:17           30 ¥302.85" in lines


def test_no_secret_is_printed(tmp_path: Path, good: bytes) -> None:
    for options in ([], ["--marks"], ["--json", "--marks"]):
        out = run(tmp_path, good, *options, secret=SECRET).output.lower()
        body = good[PAGE + 64 : PAGE + 240].hex()
        for hidden in (SECRET.hex(), KEY.hex(), body[:16], body[-16:]):
            assert hidden not in out


def test_the_json_report_has_the_same_contents(tmp_path: Path, good: bytes) -> None:
    found = json_report(tmp_path, good, "--marks", secret=SECRET)
    assert found["pending"] == {"count": 33, "sum": 33288} and found["tags_checked"] and not found["damage"]
    assert found["records"][2] == {
        "sequence": 3, "epoch": 1, "batch": 1, "stan": "000003", "amount": 1002, "currency": "156",
        "card": "622202******0001", "time": "2025-05-08T06:13:22", "kind": "accepted", "state": "refused", "chain": "ok",
        "counter": 3, "uid": b"kassa-uid-000002".hex(), "sector": 0, "page": 3,
    }  # fmt: skip
    assert [mark["kind"] for mark in found["marks"]][:2] == ["REFUSED", "WATERMARK"]
    assert "marks" not in json_report(tmp_path, good)


def test_an_image_of_the_whole_chip_is_recognised_by_its_size(tmp_path: Path, good: bytes) -> None:
    chip = bytearray(b"\xff" * CHIP_SIZE)
    chip[: len(good)] = good
    found = json_report(tmp_path, bytes(chip))
    assert found["bytes"] == PARTITIONS["journal"][1] and len(found["records"]) == LAST and not found["damage"]


@pytest.mark.parametrize("secret", [None, SECRET])
@pytest.mark.parametrize("sector", [0, 1, 2])
@pytest.mark.parametrize("offset", [0, 5, 6])
def test_a_damaged_header_loses_no_payment(
    tmp_path: Path, good: bytes, sector: int, offset: int, secret: bytes | None
) -> None:
    """In the first, the middle and the newest sector. The records are still read; the header is the only damage."""
    found = json_report(tmp_path, flipped(good, sector * SECTOR + offset), secret=secret)
    assert damage(found) == [(sector, None, f"header torn or rotted; read as serial {sector + 1}")]
    whole = json_report(tmp_path, good)
    assert found["records"] == whole["records"] and found["pending"] == whole["pending"]


def test_a_sector_about_to_be_erased_restores_no_payment(inside: Inside, tmp_path: Path) -> None:
    """The sector belongs to a closed batch and has no header, so its payments are not listed."""
    flash = Flash(inside, tmp_path / "chip.bin").set(b"\xff" * SIZE)
    steps = [["prepare"], *accepts(0, 40), ["drain", [1] * 40, list(range(40))], ["close"], *accepts(40, 3)]
    assert not flash.live(steps)["error"]
    hurt = b"\xff" * 1000 + flash.data[1000:]
    found = json_report(tmp_path, hurt)
    assert [one["sequence"] for one in found["records"]] == list(range(16, 44))
    assert not any("missing" in what or "pending" in what for _, _, what in damage(found))


def test_a_flipped_bit_in_a_record_is_reported(tmp_path: Path, good: bytes) -> None:
    """With the secret, every flipped bit is detected; without it, only those that break a field or the chain."""
    at = place(good, 8)
    sector, page = divmod(at // PAGE, 16)
    for offset in (0, 7, 9, 26, 60, 100, 243, 250):
        found = damage(json_report(tmp_path, flipped(good, at + offset), secret=SECRET))
        assert (sector, page) in [one[:2] for one in found] and (None, None, "record 8 is missing") in found
    follows = damage(json_report(tmp_path, flipped(good, at + 243)))
    assert follows == [(sector, page + 1, "chain broken: record 9 does not follow record 8")]
    digits = damage(json_report(tmp_path, flipped(good, at + 26, 0xF0)))
    assert (sector, page, "a record that does not hold, sequence 8") in digits


def test_a_flipped_bit_in_a_mark_is_reported(tmp_path: Path, good: bytes) -> None:
    found = damage(json_report(tmp_path, flipped(good, SECTOR + 48 + 20), secret=SECRET))
    assert found[0] == (1, 0, "a mark REFUSED that does not hold at byte 48")
    assert (1, 0, "no mark, and not blank, at byte 48") in damage(
        json_report(tmp_path, flipped(good, SECTOR + 48, 0x80))
    )


def test_a_torn_record_is_reported(tmp_path: Path, inside: Inside) -> None:
    flash = Flash(inside, tmp_path / "chip.bin").set(b"\xff" * SIZE)
    flash.live([["prepare"], *accepts(0, 3)])
    cut = flash.live(accepts(3, 1), cut=3, tear="prefix:40")
    assert cut["cut"]
    found = json_report(tmp_path, flash.data)
    assert damage(found) == [(0, 6, "a torn record: 40 of 256 bytes were written, sequence 4")]
    assert [one["sequence"] for one in found["records"]] == [1, 2, 3]


def test_an_erased_sector_is_reported(tmp_path: Path, good: bytes) -> None:
    found = json_report(tmp_path, good[:SECTOR] + b"\xff" * SECTOR + good[2 * SECTOR :])
    assert damage(found)[:2] == [
        (1, None, "erased: serial 2 belongs here"),
        (None, None, "records 16 to 30 are missing"),
    ]
    assert found["pending"]["count"] == 33 and found["records"][15]["chain"] == "?"


def test_a_missing_sector_is_reported(tmp_path: Path, good: bytes) -> None:
    found = damage(json_report(tmp_path, good[:SECTOR] + good[2 * SECTOR :]))
    assert (1, None, "out of its place: serial 3 belongs in sector 2") in found
    assert (None, None, "records 16 to 30 are missing") in found


@pytest.mark.parametrize("secret", [None, SECRET])
def test_swapped_sectors_are_reported(tmp_path: Path, good: bytes, secret: bytes | None) -> None:
    found = json_report(tmp_path, good[SECTOR : 2 * SECTOR] + good[:SECTOR] + good[2 * SECTOR :], secret=secret)
    assert damage(found) == [
        (0, None, "out of its place: serial 2 belongs in sector 1"),
        (1, None, "out of its place: serial 1 belongs in sector 0"),
    ]
    assert len(found["records"]) == LAST


def test_a_repeated_uid_and_a_second_record_with_one_sequence_are_reported(tmp_path: Path, good: bytes) -> None:
    hurt, eighth, ninth = bytearray(good), place(good, 8), place(good, 9)
    hurt[ninth + 8 : ninth + 24] = hurt[eighth + 8 : eighth + 24]
    again = f"uid {b'kassa-uid-000007'.hex()} of record 8 again in record 9"
    assert (0, ninth // PAGE, again) in damage(json_report(tmp_path, bytes(hurt)))
    hurt[ninth + 4 : ninth + 8] = struct.pack(">I", 8)
    hurt[ninth + 29] ^= 1
    found = damage(json_report(tmp_path, bytes(hurt)))
    assert (0, eighth // PAGE, "another record 8 than the one that counts") in found
    assert (None, None, "record 9 is missing") in found


def test_a_missing_mark_shows_in_the_pending_count(tmp_path: Path, inside: Inside) -> None:
    """The watermark of five payments is blanked; the count in the next mark disagrees."""
    flash = Flash(inside, tmp_path / "chip.bin").set(b"\xff" * SIZE)
    flash.live([["prepare"], *accepts(0, 6), ["drain", [1] * 5, list(range(5))], ["mark", 0x6A, 800000777]])
    hurt = bytearray(flash.data)
    assert hurt[48] == 0x62 and hurt[80] == 0x6A
    hurt[48:80] = b"\xff" * 32
    message = "pending: 1, ¥10.05 by the journal's count; 6, ¥60.15 by its records"
    assert damage(json_report(tmp_path, bytes(hurt))) == [(None, None, message)]


def test_an_image_without_a_journal_is_an_error(tmp_path: Path, good: bytes) -> None:
    assert "less than a sector" in run(tmp_path, b"").stderr
    assert "no sector header" in run(tmp_path, bytes(2 * SECTOR)).stderr
    assert "holds under this secret" in run(tmp_path, good, secret=bytes(32)).stderr
    assert "32 bytes were expected" in run(tmp_path, good, secret=bytes(31)).stderr
    assert "too large" in run(tmp_path, bytes((8 << 20) + 1)).stderr
    assert "all blank" in run(tmp_path, b"\xff" * SIZE).stdout
    result = CliRunner().invoke(main, [str(tmp_path)])
    assert result.exit_code == 2 and result.stderr.startswith("Error: ")
    assert CliRunner().invoke(main, [str(tmp_path / "absent")]).exit_code == 2
    short = damage(json_report(tmp_path, good[: 2 * SECTOR + 100]))
    assert short == [(None, None, "100 bytes after the last whole sector: the image was cut short")]


# -- any bytes -------------------------------------------------------------------------------------------------------

CELL = st.one_of(
    st.binary(min_size=32, max_size=32),
    st.just(b"\xff" * 32),
    st.builds(
        lambda kind, low, rest: bytes([kind]) + rest[:7] + bytes([0, low]) + rest[7:],
        st.sampled_from([*image.MARKS]), st.integers(0, 4), st.binary(min_size=22, max_size=22),
    ),
)  # fmt: skip
RECORD = st.builds(
    lambda kind, sequence, uid, digits, rest: (
        bytes([kind, 0x22, 0, 1]) + struct.pack(">I", sequence) + uid * 16 + bytes(2) + bytes(digits) + bytes(7) + rest
    )[:256].ljust(256, b"\x01"),
    st.sampled_from([0x51, 0x52, 0x54]), st.one_of(st.integers(0, 40), st.integers(0, (1 << 32) - 1)),
    st.binary(min_size=1, max_size=1), st.lists(st.integers(0, 9), min_size=12, max_size=12), st.binary(max_size=220),
)  # fmt: skip
PAGES = st.one_of(RECORD, st.lists(CELL, min_size=8, max_size=8).map(b"".join), st.just(b"\xff" * 256))
HEADER = st.builds(
    lambda serial, first, closed, number: (
        b"KJ\x02" + number + struct.pack(">IIHHII", serial, first, 1, 3, closed, closed) + bytes(24)
    ),
    st.one_of(st.integers(0, 9), st.integers(0, (1 << 32) - 1)), st.integers(0, 50), st.integers(0, 60),
    st.binary(min_size=1, max_size=1),
)  # fmt: skip
SECTORS = st.builds(
    lambda header, cells, pages, filler: (header + b"".join(cells) + b"\xff" * 16 + b"".join(pages)).ljust(SECTOR, filler),
    st.one_of(HEADER, st.binary(min_size=48, max_size=48), st.just(b"\xff" * 48)),
    st.lists(CELL, min_size=6, max_size=6), st.lists(PAGES, max_size=5), st.sampled_from([b"\xff", b"\x00"]),
)  # fmt: skip
IMAGES = st.one_of(st.binary(max_size=3 * SECTOR), st.lists(SECTORS, min_size=1, max_size=4).map(b"".join))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@given(data=IMAGES)
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_an_exit_status_and_printable_output(folder: Path, data: bytes) -> None:
    """There is no traceback, and an image cannot send control codes to the user's terminal."""
    for options in (["--marks"], ["--marks", "--json"]):
        result = run(folder, data, *options)
        assert all(line.isprintable() for line in result.output.splitlines())


@given(places=st.lists(st.tuples(st.integers(0, 3 * SECTOR - 1), st.integers(1, 255)), min_size=1, max_size=40))
@example(places=[(560, 8)])  # card digits that are not decimal
@settings(max_examples=100, deadline=None)
def test_any_damage_gives_an_exit_status(folder: Path, chips: dict[str, bytes], places: list[tuple[int, int]]) -> None:
    """Changes bytes of a real journal, if an earlier test has made one. Runs with and without the secret."""
    data = bytearray(next(iter(chips.values()), b"\xff" * SIZE))
    for at, bits in places:
        data[at] ^= bits
    run(folder, bytes(data), "--marks")
    run(folder, bytes(data), "--marks", secret=SECRET)
