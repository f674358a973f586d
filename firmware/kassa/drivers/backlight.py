# SPDX-License-Identifier: MIT
"""The brightness of a display whose backlight hangs on a pin. In memory only while it is set."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.drivers.ili9341 import ILI9341

_HZ = const(2000)  # does not flicker
_FULL = const(65535)  # duty_u16


def shine(display: "ILI9341", level: int) -> bool:
    """Set the brightness, 1 (dark) to 5 (full). Returns whether this display has any to set.

    Eyes see steps of brightness by their ratio, so the duty grows with the square of the level.
    """
    light = display.backlight
    if light is None:
        return False
    duty = _FULL * level * level // 25
    if hasattr(light, "duty_u16"):
        light.duty_u16(duty)  # pyright: ignore[reportAttributeAccessIssue]  a PWM has it
    else:
        from machine import PWM

        display.backlight = PWM(light, freq=_HZ, duty_u16=duty)  # pyright: ignore[reportAttributeAccessIssue]  in its place
    return True
