# SPDX-License-Identifier: MIT
"""The interpreter's start script: `micropython start.py [image.romfs]`. Runs boot.py, then main.py, as a board does.

With an image, both come from it, as on a device that runs from flash. If the interpreter has `ffi` (as Debian's 32-bit
one does), the image is mapped outside the GC heap; otherwise it is read into the heap.
"""

import sys

import vfs

try:
    import ffi
except ImportError:
    ffi = None

_STACK = 1 << 20  # bytes


def _mapped(libc, path: str) -> bytearray:
    """Map the file at `path` into memory outside the GC heap. Raises OSError."""
    import uctypes

    descriptor = libc.func("i", "open", "si")(path, 0)
    size = libc.func("i", "lseek", "iii")(descriptor, 0, 2)
    address = libc.func("p", "mmap", "pIiiii")(0, size, 1, 2, descriptor, 0)  # PROT_READ, MAP_PRIVATE
    if descriptor < 0 or address == -1:
        raise OSError("cannot map the image")
    return uctypes.bytearray_at(address, size)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _run() -> int:
    """Run main.py. Returns the exit code for the process."""
    try:
        import main
    except SystemExit as ended:
        return ended.args[0] if ended.args else 0
    except BaseException as error:
        sys.print_exception(error)
        return 1
    finally:
        boot.flush()
    return 0


def _run_in_a_thread(libc) -> None:
    """Give main.py a larger stack: each nested import takes 4 KiB, and the main stack is limited to 40 KiB."""
    import _thread

    leave = libc.func("v", "_exit", "i")  # ending only the thread needs a library that is missing
    _thread.stack_size(_STACK)
    _thread.start_new_thread(lambda: leave(_run()), ())
    endless = _thread.allocate_lock()
    endless.acquire()
    endless.acquire()


libc = ffi.open("libc.so.6") if ffi else None
if len(sys.argv) > 1:
    vfs.mount(vfs.VfsRom(_mapped(libc, sys.argv[1]) if libc else _read(sys.argv[1])), "/rom")
    sys.path[:] = ["/rom", ".frozen"]

import boot  # noqa: E402  found through the path set above

if libc:
    _run_in_a_thread(libc)
else:
    sys.exit(_run())
