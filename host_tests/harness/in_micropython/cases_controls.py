# SPDX-License-Identifier: MIT
"""Two stores that lose payments, as controls for the power-cut campaign: files on FAT, and a log with its header first."""

import os
from struct import pack, unpack

import vfs
from chips import Chip, PowerCut

_MOUNT = "/control"
_SECTOR = 4096
_PAGE = 256
_BLANK = b"\xff" * _PAGE


class Fat:
    """One file per payment; settled ones are deleted."""

    def __init__(self, flash, fresh):
        if fresh:
            vfs.VfsFat.mkfs(flash)
        vfs.mount(vfs.VfsFat(flash), _MOUNT)

    def pay(self, number):
        with open("%s/%d" % (_MOUNT, number), "wb") as file:
            file.write(pack(">I", number) * 64)

    def settle(self, number):
        os.remove("%s/%d" % (_MOUNT, number))

    def list(self):
        found = []
        for entry in os.ilistdir(_MOUNT):
            with open("%s/%s" % (_MOUNT, entry[0]), "rb") as file:
                data = file.read(_PAGE + 1)
            if len(found) > 64:
                raise ValueError("the folder never ends")
            if data == pack(">I", int(entry[0])) * 64:
                found.append(int(entry[0]))
        return sorted(found)


class HeaderFirst:
    """One page per payment in one of two sectors. When full, copies unsettled payments to the other, after a new header."""

    def __init__(self, flash, fresh):
        self.flash = flash
        self.half, self.generation = 0, 1
        if fresh:
            flash.writeblocks(0, self._page(b"H", 1), 0)
        for half in range(2):
            kind, generation = self._read(half, 0)
            if kind == b"H" and generation > self.generation:
                self.half, self.generation = half, generation
        self.free = 1 + len([page for page in range(1, 16) if self._read(self.half, page)[0] != b"\xff"])

    def _page(self, kind, number):
        return (kind + pack(">I", number)) * 51 + b"\x00"

    def _read(self, half, page):
        data = bytearray(_PAGE)
        self.flash.readblocks(half, data, page * _PAGE)
        kind, number = bytes(data[:1]), unpack(">I", data[1:5])[0]
        return (kind, number) if data in (_BLANK, self._page(kind, number)) else (b"?", 0)

    def _append(self, kind, number):
        if self.free == 16:
            self._compact()
        self.flash.writeblocks(self.half, self._page(kind, number), self.free * _PAGE)
        self.free += 1

    def _compact(self):
        kept = self.list()
        old, self.half = self.half, 1 - self.half
        self.generation += 1
        self.flash.writeblocks(self.half, self._page(b"H", self.generation), 0)
        self.free = 1
        for number in kept:
            self._append(b"P", number)
        self.flash.ioctl(6, old)

    def pay(self, number):
        self._append(b"P", number)

    def settle(self, number):
        self._append(b"S", number)

    def list(self):
        pages = [self._read(self.half, page) for page in range(1, 16)]
        settled = [number for kind, number in pages if kind == b"S"]
        return sorted([number for kind, number in pages if kind == b"P" and number not in settled])


_STORES = {"FAT": (Fat, 64), "header first": (HeaderFirst, 2)}


def life(path, store, steps, options):
    """Boot and run steps: ["pay", number], ["settle", number]. `booted`: payments found; `done`: steps finished."""
    make, sectors = _STORES[store]
    if options.get("fresh"):
        with open(path, "wb") as file:
            for _ in range(sectors):
                file.write(b"\xff" * _SECTOR)
    chip = Chip(path, options.get("cut", 0), options.get("tear", "none"), options.get("seed", 1))
    result = {"booted": None, "done": 0, "cut": False, "error": ""}
    try:
        now = make(chip.region(), options.get("fresh"))
        result["booted"] = now.list()
        for name, number in steps:
            getattr(now, name)(number)
            result["done"] += 1
    except PowerCut:
        result["cut"] = True
    except (OSError, ValueError) as error:  # a name in a torn folder may not be text
        result["error"] = type(error).__name__
    finally:
        if store == "FAT":
            try:
                vfs.umount(_MOUNT)
            except (OSError, PowerCut):
                pass
    result["log"] = chip.log
    chip.save()
    return result
