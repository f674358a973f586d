# SPDX-License-Identifier: MIT
"""What `make image` makes: whole, the same every time, readable by littlefs, and free of what is not flashed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from littlefs import LittleFS

from tools.bench import romfs
from tools.emulator import chip
from tools.fonts import asset, gbk
from tools.hardware import partitions
from tools.hardware.catalogue import ROOT, BoardFolder, board, boards
from tools.image import bytecode, filesystem, packing, shortening
from tools.image.__main__ import VFS, ImageError, build, main

FOREIGN = (
    b"127.0.0.1",
    b"MICROPYPATH",
    b"flash.bin",
    b"efuse.bin",
    b"world_requests",
    b"wiring",
    b"pytest",
    b"host_tests",
)
DATE = re.compile(rb"\b20[2-9]\d-[01]\d-[0-3]\d\b|\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug)")


def files(image: bytes) -> dict[str, bytes]:
    """Every file of a filesystem image, by path, read with the sizes that MicroPython mounts with."""
    system = LittleFS(
        block_size=4096, block_count=len(image) // 4096, read_size=32, prog_size=32, lookahead_size=32, mount=False
    )
    system.context.buffer = bytearray(image)
    system.mount()
    found = {}
    for folder, _, names in system.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}".lstrip("/")
            with system.open(path, "rb") as source:
                found[path] = source.read()
    return found | packing.unpack(found.pop(packing.NAME))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, bytes]]:
    """board -> table, filesystem."""
    made = {}
    for each in boards():
        table, image, used = build(each, tmp_path_factory.mktemp(each.name))
        made[each.name] = table.read_bytes(), image.read_bytes()
        assert used <= len(made[each.name][1])
    return made


def _does_something(path: Path) -> bool:
    return len(ast.parse(path.read_text("utf-8")).body) > 1  # more than a docstring


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_the_filesystem_holds_the_firmware_compiled(built: dict[str, tuple[bytes, bytes]], each: BoardFolder) -> None:
    table, image = built[each.name]
    rows = {row.label: row for row in partitions.unpack(table)}
    assert len(image) == rows[VFS].size
    held = files(image)
    firmware = [
        path for path in (ROOT / "firmware").rglob("*.py") if path.name != "__init__.py" or _does_something(path)
    ]
    sources = {path.relative_to(ROOT / "firmware").as_posix() for path in firmware}
    expected = {name.removesuffix(".py") + ".mpy" for name in sources if name != "main.py"} | {"main.py", "board.mpy"}
    started = {"boot.py", "packed.mpy"}
    assert {name for name in held if name.endswith((".py", ".mpy"))} == expected | started
    assert held["main.py"] == (ROOT / "firmware/main.py").read_bytes()
    assert held[asset.PATH.relative_to(ROOT / "firmware").as_posix()] == asset.PATH.read_bytes()
    assert held[gbk.PATH.relative_to(ROOT / "firmware").as_posix()] == gbk.PATH.read_bytes()
    # mpy format: "M", version 6, flags, bits of a small integer (31 on a 32-bit chip)
    assert {content[:4] for name, content in held.items() if name.endswith(".mpy")} == {b"M\x06\x00\x1f"}


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_nothing_of_the_simulator_no_test_and_no_date_is_in_it(
    built: dict[str, tuple[bytes, bytes]], each: BoardFolder
) -> None:
    held = files(built[each.name][1])
    code = {name: content for name, content in held.items() if name.endswith((".py", ".mpy"))}
    assert len(code) > 100
    for name, content in code.items():
        assert not [word for word in FOREIGN if word in content], name
        assert not DATE.search(content), name
        assert str(ROOT).encode() not in content, name
    unix = {path.name for path in (ROOT / "boards/unix").rglob("*.py")} - {"board.py", "boot.py"}
    assert not {Path(name).stem + ".py" for name in held} & unix


def test_it_is_the_same_byte_for_byte(
    built: dict[str, tuple[bytes, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortening, "KEPT", tmp_path / "kept")  # everything is made again
    table, image, _ = build(board("kassa_esp32"), tmp_path)
    assert (table.read_bytes(), image.read_bytes()) == built["kassa_esp32"]


def test_a_package_of_nothing_is_a_folder_but_an_empty_module_is_there(tmp_path: Path) -> None:
    sources = tmp_path / "main.py", tmp_path / "room" / "__init__.py"
    sources[1].parent.mkdir()
    for source in sources:
        source.write_text("")
    bytecode.replace_all(sources, *bytecode.CHIP)
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["main.mpy", "room"]


@pytest.mark.parametrize(("change", "expected"), [
    (lambda image: image[:-4096], "cut short"),
    (lambda image: image[:8] + b"LITTLEFS" + image[16:], "no littlefs"),
    (lambda image: image[:28] + b"\x01" + image[29:], "was made for"),
])  # fmt: skip
def test_a_wrong_filesystem_is_noticed(built: dict[str, tuple[bytes, bytes]], change: object, expected: str) -> None:
    image = built["kassa_esp32"][1]
    filesystem.check(image, len(image))
    with pytest.raises(filesystem.FilesystemError, match=expected):
        filesystem.check(change(image), len(image))  # type: ignore[operator]


def changed(tmp_path: Path, name: str, old: str, new: str) -> BoardFolder:
    """A copy of a board with one change in its files."""
    whole = board(name)
    copy = tmp_path / "boards" / name
    copy.mkdir(parents=True)
    (tmp_path / "firmware").symlink_to(ROOT / "firmware")
    for path in whole.folder.iterdir():
        if path.is_file():
            (copy / path.name).write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return BoardFolder(copy, whole.chip, whole.flash_size, whole.psram)


def test_a_board_with_a_fault_gets_no_image(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="GPIO 47"):
        build(changed(tmp_path, "kassa_s3", "tx=8, rx=1", "tx=47, rx=48"), tmp_path / "out")


def test_a_firmware_that_does_not_fit_is_refused_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not fit 524288 bytes"):
        build(changed(tmp_path, "kassa_esp32", "0x1B0000, 0x138000", "0x1B0000, 0x080000"), tmp_path / "out")


def test_an_unknown_board_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kassa_s4"]) == 2
    assert "no board 'kassa_s4'; there are: kassa_esp32, kassa_s3" in capsys.readouterr().out


@pytest.mark.parametrize("beside", [{}, chip.modules()], ids=["a product", "the emulated chip"])
def test_what_stays_text_finds_every_name_that_it_asks_for(tmp_path: Path, beside: dict[str, Path]) -> None:
    filesystem.stage(tmp_path, board("kassa_esp32").folder, beside)
    texts = [ast.parse(path.read_text("utf-8")) for path in tmp_path.glob("*.py")]
    imported = {name for tree in texts for name in _imported(tree)}
    asked = {node.attr for tree in texts for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | imported
    sources = [*(ROOT / "firmware").rglob("*.py"), board("kassa_esp32").folder / "board.py", *beside.values()]
    defined = {name for path in sources if path.name != "main.py" for name in _defined(path)}
    compiled = b"".join(path.read_bytes() for path in tmp_path.rglob("*.mpy"))
    assert len(texts) == 2 and {"Board", "SafeMode", "Terminal", "safe_mode_reason"} <= asked & defined
    assert ("MAY_JUMP" in asked & defined) == bool(beside)
    missing = {name for name in asked & defined if not re.search(rb"\b%s\0" % name.encode(), compiled)}
    assert missing - {"start"} == set()  # a name that MicroPython has anyway is a number in a .mpy


def _imported(tree: ast.Module) -> set[str]:
    return {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


def _defined(path: Path) -> set[str]:
    """The names of a file's functions and classes, and of what it assigns to."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)} | {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_the_bench_measures_the_files_that_are_flashed(tmp_path: Path, each: BoardFolder) -> None:
    """The same files of kassa, byte for byte but for two bytes: a chip's small integers, and its processor.

    docs.micropython.org, "MicroPython .mpy files": bytes 2 and 3 of the header. main.py stays text on a chip.
    """
    flashed, measured = tmp_path / "flashed", tmp_path / "measured"
    filesystem.stage(flashed, each.folder)
    romfs.stage(measured)
    names = {path.relative_to(flashed) for path in (flashed / "kassa").rglob("*") if path.is_file()}
    assert names == {path.relative_to(measured) for path in (measured / "kassa").rglob("*") if path.is_file()}
    assert len(names) > 150
    for name in sorted(names):
        one, other = (flashed / name).read_bytes(), (measured / name).read_bytes()
        if name.suffix == ".mpy":
            assert one[:2] == other[:2] == b"M\x06", name
            one, other = one[4:], other[4:]
        assert one == other, name
