# SPDX-License-Identifier: MIT
"""The flash cost of a payment, the bytes it writes, and what happens when the flash holds other bytes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from host_tests.harness.in_micropython.runner import Inside, InsideError
from host_tests.harness.vault.lives import ACCEPTED, INTENT, KEY, SIZE, YES, Flash, check, words
from tools.journal import image

BLANK = b"\xff" * SIZE


@pytest.fixture
def flash(inside: Inside, tmp_path: Path) -> Flash:
    return Flash(inside, tmp_path / "chip.bin").set(BLANK)


def accepts(first: int, count: int, kind: int = ACCEPTED) -> list:
    return [["accept", first + index, 1000 + index, kind] for index in range(count)]


def test_accepting_a_payment_allocates_nothing_and_is_one_program(flash: Flash, inside: Inside) -> None:
    """Forty payments in a row: sectors are erased ahead of time, so none is erased meanwhile."""
    accepted, programs, erases = inside("vault", "allocated", str(flash.path), KEY.hex(), 40)
    assert (accepted, erases) == (40, 0)
    assert programs == 40 + 2  # plus the headers of two new sectors
    assert programs <= 1.1 * accepted


def test_the_control_sees_an_allocation(inside: Inside) -> None:
    with pytest.raises(InsideError) as failure:
        inside("vault", "allocating")
    assert failure.value.kind == "MemoryError"


def test_the_bytes_are_those_of_the_document(flash: Flash) -> None:
    """Every field of header, record and mark, at the offsets of docs/journal.md."""
    flash.live(
        [["prepare"], ["accept", 7, 123456789012, ACCEPTED], ["mark", 0x6A, 800000777], ["accept", 8, 5, INTENT]]
    )
    data = flash.data
    header, first, second, mark = data[:48], data[256:512], data[512:768], data[48:80]
    counted = "00000001 00000001 0001 0000 00000000 00000000 0000000000 000001 00000000 00000000"
    assert header[:40].hex() == "4b4a0300" + counted.replace(" ", "")
    clear = (
        "51 22 0001 00000001" + b"kassa-uid-000007".hex() + "123456789012 0156 000008 000001 00000008 07 01 2faf0807"
    )
    assert first[:64].hex() == (clear + "622202 0001 00 0000 0000000000000000").replace(" ", "")
    assert second[:2].hex() == "5222" and second[4:8].hex() == "00000002" and second[24:30].hex() == "000000000005"
    assert second[56:64] == first[240:248]
    body = Cipher(algorithms.AES(b"data key of case"), modes.CBC(bytes(16))).decryptor().update(first[64:240])
    assert body[:16] == b"nonce-nonce00007" and body[16:] == bytes(160)
    assert first[240:248] == _tag(b"seal key of case", first[:240])
    assert mark[:24].hex() == ("6a 04 0000" + f"{800000777:08x}" + "0001 0001 0001 1cbe991a14 02 2faf0807").replace(
        " ", ""
    )
    for said, tag in ((header[:40], header[40:]), (first[:248], first[248:]), (mark[:24], mark[24:])):
        assert tag == _tag(KEY, said)
    assert data[80:256] == BLANK[:176] and data[768:] == BLANK[768:]


def _tag(key: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()[:8]


def test_the_independent_reader_agrees_with_the_firmware(flash: Flash) -> None:
    steps = [["prepare"], *accepts(0, 6), ["drain", [1, 1, 2, 1, 3, 1], [5, 4, 3, 2, 1, 0]], *accepts(6, 3, INTENT)]
    result = flash.live([*steps, ["final", YES, "00"], ["state"], ["list"]])
    journal = flash.read()
    assert not journal.damaged and not result["error"]
    check_words = {1: "settled", 2: "settled", 3: "refused", 4: "settled", 5: "accepted", 6: "settled", 9: "settled"}
    assert {s: w for s, w in words(journal).items() if s not in (7, 8)} == check_words
    assert result["done"][-1] == [[r.sequence, int(r.uid[10:]), r.amount] for r in journal.records.values()]
    assert (result["done"][-2]["count"], result["done"][-2]["sum"]) == (1, 1004)


@pytest.mark.parametrize("what", ["noise", "zeros", "foreign", "text"])
def test_a_foreign_or_invalid_journal_is_refused_and_not_changed(flash: Flash, what: str) -> None:
    """Noise, an all-zero chip, another device's journal, text: no sale, and not one bit changes."""
    if what == "foreign":
        flash.live([["prepare"], *accepts(0, 20)])
        flash.key = bytes(16)
    else:
        made = {
            "noise": random.Random(20260801).randbytes(SIZE),
            "zeros": bytes(SIZE),
            "text": b"Kassa" * (SIZE // 5 + 1),
        }
        flash.set(made[what][:SIZE])
    before = flash.data
    assert flash.live([["prepare"]])["error"] == "JournalDamaged"
    assert flash.data == before


def test_a_journal_without_its_header_is_damaged(flash: Flash) -> None:
    """A torn first header is accepted only if the rest of the chip is blank."""
    flash.live([["prepare"], *accepts(0, 3)])
    good = flash.data
    for torn in (bytes(48), b"\xff" * 48, good[:16] + b"\xff" * 32):
        flash.set(torn + good[48:])
        assert flash.live()["error"] == "JournalDamaged"
    flash.set(good[:16] + BLANK[16:])
    assert flash.live([["prepare"], *accepts(0, 1)])["error"] == ""
    flash.set(bytes(16) + BLANK[16:])
    assert flash.live()["error"] == "JournalDamaged"


@pytest.mark.parametrize("victim", [2, 5, 8])
def test_a_flipped_bit_loses_at_most_its_record(flash: Flash, victim: int) -> None:
    """One bit in each byte of a settled record, a pending one and the newest (which has a mark)."""
    flash.live([["prepare"], *accepts(0, 8), ["drain", [1, 1, 1], [0, 1, 2]], ["mark", 0x6A, 800000001]])
    good, everything = flash.data, set(range(1, 9))
    for offset in range(256):
        data = bytearray(good)
        data[256 * victim + offset] ^= 1 << (offset * 5 % 8)
        result = flash.set(bytes(data)).live([["prepare"], ["list"], ["accept", 99, 777, ACCEPTED], ["list"]])
        assert not result["error"], (offset, result)
        found = {sequence for sequence, _, _ in result["done"][2]}
        assert everything - found <= {victim}
        assert result["done"][3] == 9 and result["done"][4][-1] == [9, 99, 777]
        assert result["done"][0]["count"] == 5


def test_a_flipped_bit_in_a_mark_loses_no_payment(flash: Flash) -> None:
    """The host is asked again. A payment is never dropped, and never counted as paid without a valid mark."""
    flash.live([["prepare"], *accepts(0, 4), ["drain", [1, 2, 1, 1], [0, 1, 2, 3]]])
    good = flash.data
    marks = [at for at in range(48, 240, 32) if good[at] != 0xFF]
    for at in marks:
        for offset in range(32):
            data = bytearray(good)
            data[at + offset] ^= 1 << (offset * 3 % 8)
            result = flash.set(bytes(data)).live([["list"]])
            assert not result["error"] and len(result["done"][1]) == 4
    assert len(marks) == 2


def test_marks_count_although_the_header_of_their_sector_rotted(flash: Flash) -> None:
    """A refused payment stays refused when a bit of an older sector's header flips."""
    flash.live([["prepare"], *accepts(0, 10), ["drain", [1, 3, 2, 1, 1], [0, 1, 2, 3, 4]], *accepts(10, 12)])
    data = bytearray(flash.data)
    for offset in (0, 5, 41):
        rotten = bytearray(data)
        rotten[offset] ^= 4
        state = flash.set(bytes(rotten)).live()["done"][0]
        assert [3, 0x63] in state["marks"] and state["sequence"] == 22


def test_a_full_journal_refuses_payments_and_can_still_be_drained(flash: Flash) -> None:
    """No page of an open batch is erased for a new payment. The last two sectors are reserved for answers."""
    result = flash.live([["prepare"], ["fill", 0, 50, ACCEPTED], ["state"]])
    taken = result["done"][2]
    assert taken == (SIZE // 4096 - 2) * 15 and result["done"][3]["count"] == taken
    full = flash.data
    again = flash.live(
        [["prepare"], ["accept", 999, 1, ACCEPTED]]
    )  # boot copies the last record, then no payment is accepted
    assert again["error"] == "JournalFull"
    after = flash.data
    assert flash.live([["fill", 500, 1, ACCEPTED]])["done"][1] == 0 and flash.data == after
    refusals = [2 if index % 5 == 4 else 1 for index in range(64)]
    drained = flash.set(full).live(
        [["drain", refusals, list(range(64))], ["drain", refusals, list(range(64))], ["state"]]
    )
    assert not drained["error"] and drained["done"][-1]["count"] == 0
    assert flash.live([["fill", 500, 1, ACCEPTED]])["done"][1] == 0, "the reserve is not for payments"
    closed = flash.live([["close"], ["prepare"], ["accept", 700, 1, ACCEPTED], ["state"]])
    assert not closed["error"] and closed["done"][-1]["sequence"] == taken + 1
    check(flash.read(), closed["done"][-1], flash.data)


def test_erases_are_spread_evenly_over_the_ring(flash: Flash) -> None:
    """Ten times the capacity, batch by batch: each batch is read back, and all sectors are erased equally often."""
    erased: list[int] = []
    payments = 0
    for batch in range(30):
        steps = [
            ["prepare"],
            *accepts(40 * batch, 40),
            ["drain", [1] * 64, list(range(64))],
            ["list"],
            ["close"],
            ["state"],
        ]
        result = flash.live(steps)
        assert not result["error"], result
        erased += result["erased"]
        payments += 40
        assert [sequence for sequence, _, _ in result["done"][-3]] == list(range(payments - 39, payments + 1))
        assert result["done"][-1]["batch"] == batch + 2
        check(flash.read(), result["done"][-1], flash.data)
    counts = [erased.count(sector) for sector in range(SIZE // 4096)]
    print(f"{payments} payments, {len(erased)} erases, by sector {counts}")
    assert max(counts) - min(counts) <= 1 and min(counts) >= 5


def test_boot_reads_less_than_16_kib_of_a_journal(flash: Flash) -> None:
    """It reads the start of each sector and the newest sector, not the whole ring."""
    flash.live(
        [["prepare"], *accepts(0, 70), ["drain", [1] * 64, list(range(64))], ["drain", [1] * 64, list(range(64))]]
    )
    read = flash.live([["state"]])["read"]
    print(f"boot read {read} bytes of {SIZE}")
    assert read < 16 * 1024
    journal = image.read(flash.data, KEY)
    assert journal.watermark == 70


def test_pages_that_do_not_keep_their_data_are_skipped(flash: Flash) -> None:
    """The page is read back; if it is wrong, the payment goes to the next page."""
    steps = [["prepare"], *accepts(0, 3), ["drain", [1, 2], [0, 1]], ["state"], ["list"]]
    result = flash.live(steps, weak=[2 * 256 + 100, 3 * 256, 48 + 4])
    assert result["done"][-1] == [[1, 0, 1000], [2, 1, 1001], [3, 2, 1002]]
    assert (result["done"][-2]["count"], result["done"][-2]["watermark"], result["done"][-2]["page"]) == (1, 2, 4)
    check(flash.read(), result["done"][-2], flash.data)
    assert flash.live([["list"]])["done"][1] == result["done"][-1]


def test_a_chip_that_keeps_no_data_accepts_no_payment(flash: Flash) -> None:
    flash.live([["prepare"], *accepts(0, 2), ["mark", 0x6A, 1]])
    weak = [page * 256 + 10 for page in range(3, SIZE // 256)]
    assert flash.live([["accept", 50, 777, ACCEPTED]], weak=weak)["error"] == "FlashFault"
    after = flash.live([["list"], ["accept", 51, 888, ACCEPTED], ["list"], ["state"]])
    assert after["done"][1] == [[1, 0, 1000], [2, 1, 1001]]
    assert after["done"][3][-1] == [3, 51, 888] and after["done"][4]["sum"] == 1000 + 1001 + 888
