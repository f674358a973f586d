# SPDX-License-Identifier: MIT
"""The virtual printer against python-escpos, an encoder that knows nothing of ours; then our driver against both."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from escpos.printer import Dummy
from PIL import Image

from tools.world.printer import PrinterPeer, Receipt

ADDRESS = "https://host.example/payments/KASSA001/0123456789abcdef0123456789abcdef"
OURS = """
import asyncio
from board import Board
from kassa.gbk import Table
LINES = [
    ("阳光便利店", 1, True, 2),
    ("-", 0, False, 1),
    ("卡号\\t621234******5678", 0, False, 1),
    ("Amount\\t1,234.50", 0, True, 1),
    ("¥1,234.50", 2, True, 2),
    ("谢谢惠顾", 1, False, 1),
    ("%s", 3, False, 1),
]
asyncio.run(Board().printer(%d).print(LINES, Table().code))
print("printed")
"""


def theirs(columns: int) -> bytes:
    """The same receipt by python-escpos, whose layout is done here."""
    paper = Dummy()

    def line(text: str, align: str = "left", bold: bool = False, size: int = 1) -> None:
        paper.set(align=align, bold=bold, custom_size=True, width=size, height=size)
        paper._raw(text.encode("gbk") + b"\n")

    paper._raw(b"\x1b@\x1c&")
    line("阳光便利店", "center", True, 2)
    line("-" * columns)
    line("卡号" + "621234******5678".rjust(columns - 4))
    line("Amount" + "1,234.50".rjust(columns - 6), bold=True)
    line("￥1,234.50", "right", True, 2)
    line("谢谢惠顾", "center")
    return paper.output


def printed(data: bytes, columns: int = 32) -> Receipt:
    """What the virtual printer makes of the data, once they are cut off."""
    peer = PrinterPeer()
    peer.columns, peer.memory = columns, 64 << 10
    for at in range(0, len(data), 100):
        peer.receive(data[at : at + 100])
        peer.tick(1000 * at)
    peer.receive(b"\x1dV\x00")
    peer.finish()
    assert not peer.lost
    (receipt,) = peer.receipts
    return receipt


@pytest.mark.parametrize("columns", [32, 48])
def test_text_is_the_same_picture_whoever_encodes_it(new_world, columns: int) -> None:
    world = new_world(OURS % (ADDRESS, columns))
    world.chips.printer.columns = columns
    world.power_on()
    world.wait_off()
    assert "printed" in world.console, world.console
    (ours,) = world.receipts
    expected = printed(theirs(columns), columns)
    assert [line.text for line in ours.lines[: len(expected.lines)]] == [line.text for line in expected.lines]
    height = sum(line.draw().height for line in expected.lines)
    box = (24, 24, 24 + 12 * columns, 24 + height)
    assert ours.picture().crop(box).tobytes() == expected.picture().crop(box).tobytes()


def test_a_code_is_the_same_picture_and_can_be_scanned(run_script) -> None:
    world = run_script(OURS % (ADDRESS, 32))
    world.wait_off()
    (ours,) = world.receipts
    paper = Dummy()
    paper.set(align="center")
    paper.qr(ADDRESS, ec=1, size=5, native=True)
    expected = printed(paper.output)
    mine, hers = ([line for line in receipt.lines if line.code] for receipt in (ours, expected))
    assert mine[0].code == hers[0].code == ADDRESS
    assert mine[0].draw().tobytes() == hers[0].draw().tobytes()
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(ours.png())).convert("L"))
    assert found.text == ADDRESS


def test_a_picture_is_printed_dot_by_dot() -> None:
    wanted = Image.radial_gradient("L").resize((384, 120)).point(lambda value: 255 if value > 90 else 0).convert("1")
    paper = Dummy()
    paper.image(wanted, impl="bitImageRaster")
    lines = [line for line in printed(paper.output).lines if line.picture]
    dots = b"".join(line.draw().tobytes() for line in lines)
    assert dots[: len(wanted.tobytes())] == wanted.tobytes()


def test_what_a_printer_does_not_know_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="1b 7a"):
        printed(b"\x1bz\x00")
