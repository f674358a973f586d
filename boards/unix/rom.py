# SPDX-License-Identifier: MIT
"""Powers the board on from a romfs image, as a device runs it from flash: `micropython rom.py out.romfs`.

Where the interpreter has `ffi` the image is mapped outside the GC heap; elsewhere it is read into it.
"""

import sys

import vfs


def _mapped(path: str):
    """The file at `path` as memory that the heap knows nothing of."""
    import ffi
    import uctypes

    libc = ffi.open("libc.so.6")
    descriptor = libc.func("i", "open", "si")(path, 0)
    size = libc.func("i", "lseek", "iii")(descriptor, 0, 2)
    address = libc.func("p", "mmap", "pIiiii")(0, size, 1, 2, descriptor, 0)  # PROT_READ, MAP_PRIVATE
    if descriptor < 0 or address == -1:
        raise OSError("cannot map the image")
    return uctypes.bytearray_at(address, size)


def _image(path: str):
    try:
        return _mapped(path)
    except ImportError:
        with open(path, "rb") as file:
            return file.read()


vfs.mount(vfs.VfsRom(_image(sys.argv[1])), "/rom")
sys.path[:] = ["/rom", ".frozen"]
import boot  # noqa: E402  found in the image
