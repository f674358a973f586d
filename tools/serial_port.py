# SPDX-License-Identifier: MIT
"""Says in one line why a serial port cannot be opened, and what to do."""

import errno

import serial

LIST = "`python -m mpremote connect list` shows the ports"


def why(port: str, error: Exception | None = None) -> str:
    """The reason, beginning with the port's name. Without the OSError of an attempt to open it, one is made."""
    if not port:
        return f"no port given; {LIST}"
    if not isinstance(error, OSError):
        try:
            serial.Serial(port, exclusive=True).close()
        except (OSError, ValueError) as found:
            error = found
        else:
            return f"{port} could not be opened; it can be now: run the command again"
    number, text = getattr(error, "errno", None), str(error)
    if number == errno.ENOENT or "FileNotFoundError" in text:
        return f"{port}: there is no such port; {LIST}"
    if number in (errno.EAGAIN, errno.EBUSY):
        return f"{port} is in use: close the other program that has it open"
    if number in (errno.EACCES, errno.EPERM):
        return f"{port}: permission denied; docs/flashing.md says which group you must be in"
    if "PermissionError" in text:  # Windows says the same if another program has the port
        return f"{port} cannot be opened: close the other program that has it open"
    return f"{port} is not a serial port, or it does not answer; {LIST}"
