# SPDX-License-Identifier: MIT
"""A radio that is only switched on and off; `log` says when."""


class WLAN:
    IF_STA = 0

    def __init__(self, interface: int) -> None:
        pass

    def active(self, on: bool) -> None:
        with open("radio.log", "a") as log:
            log.write("on\n" if on else "off\n")
