# SPDX-License-Identifier: MIT
"""What the interpreter is started with: `micropython start.py [image.romfs]`. Runs boot.py, then main.py, as a board does.

With an image both come from it, as on a device that runs from flash. Where the interpreter has `ffi` (Debian's 32-bit one,
the twin of an ESP32) the image is mapped outside the GC heap; elsewhere it is read into it.
"""

import sys

import vfs

try:
    import ffi
except ImportError:
    ffi = None

_STACK = 1 << 20  # bytes


def _mapped(libc, path: str) -> bytearray:
    """The file at `path` as memory that the heap knows nothing of."""
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
    """Run main.py. Returns the process's exit code."""
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
    """Give main.py a stack of its own: each nested import takes 4 KiB, and the main stack counts for 40 KiB only."""
    import _thread

    leave = libc.func("v", "_exit", "i")  # to end a thread takes a library that the interpreter comes without
    _thread.stack_size(_STACK)
    _thread.start_new_thread(lambda: leave(_run()), ())
    for_ever = _thread.allocate_lock()
    for_ever.acquire()
    for_ever.acquire()


libc = ffi.open("libc.so.6") if ffi else None
if len(sys.argv) > 1:
    vfs.mount(vfs.VfsRom(_mapped(libc, sys.argv[1]) if libc else _read(sys.argv[1])), "/rom")
    sys.path[:] = ["/rom", ".frozen"]

import boot  # noqa: E402  the path above decides where it comes from

if libc:
    _run_in_a_thread(libc)
else:
    sys.exit(_run())
