# SPDX-License-Identifier: MIT
"""Which pins a chip has and what each may be used for.

Sources: [TRM1] ESP32 Technical Reference Manual, IO_MUX and GPIO Matrix. [DS1] ESP32 Series Datasheet, Pins and Strapping
Pins. [WROOM] ESP32-WROOM-32 and [WROVER] ESP32-WROVER-E module datasheets. [DS3] ESP32-S3 Series Datasheet, Pins,
Strapping Pins. [IDF] ESP-IDF Programming Guide, GPIO & RTC GPIO of each chip. `image_id` and `bootloader` are compared with
esptool's own numbers by a test, the pins of download mode with its page "Boot Mode Selection".
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """The rules of one chip. Each dictionary maps GPIO numbers to a reason or a hint, for people."""

    name: str  # as in board.json and esptool
    image_id: int  # in the extended header of an app image (ESP-IDF: esp_chip_id_t)
    bootloader: int  # flash address of the second stage bootloader
    pins: frozenset[int]
    input_only: frozenset[int]  # no output driver and no pulls
    forbidden: dict[int, str]  # in use by the module itself
    with_psram: dict[int, str]  # in use by modules with PSRAM
    fast_spi: dict[int, tuple[int, int, int]]  # SPI(n): sck, mosi, miso of the IO_MUX; others reach 26.7 MHz at most
    strapping: dict[int, str]  # sampled at reset: allowed, but what hangs on the pin must leave the level alone


def _named(reason: str, *pins: int) -> dict[int, str]:
    return dict.fromkeys(pins, reason)


ESP32 = Chip(
    name="esp32",
    image_id=0,
    bootloader=0x1000,
    # [IDF] GPIO 0-19, 21-23, 25-27, 32-39; 20 exists only on the ESP32-PICO-V3, 24 and 28-31 do not exist
    pins=frozenset((*range(20), 21, 22, 23, 25, 26, 27, *range(32, 40))),
    input_only=frozenset(range(34, 40)),  # [DS1] [IDF] "input only, no software-enabled pull-up or pull-down"
    forbidden={
        **_named("SPI flash of the module", 6, 7, 8, 9, 10, 11),  # [WROOM]
        **_named("UART0: console and flashing", 1, 3),  # [DS1] U0TXD, U0RXD
        **_named("not led out of WROOM modules", 37, 38),  # [WROOM]
    },
    with_psram=_named("PSRAM of a WROVER module", 16, 17),  # [WROVER]
    fast_spi={1: (14, 13, 12), 2: (18, 23, 19)},  # [TRM1] HSPI, VSPI; the limit: spi_hal_cal_clock_conf of ESP-IDF
    strapping={  # [DS1] Strapping Pins
        0: "must be high at reset, low means download",
        2: "must be low or open for download",
        5: "timing of SDIO, has a pull-up",
        12: "must be low at reset, high selects 1.8 V for the flash",
        15: "has a pull-up, low silences the ROM's log",
    },
)

ESP32S3 = Chip(
    name="esp32s3",
    image_id=9,
    bootloader=0x0,
    pins=frozenset((*range(22), *range(26, 49))),  # [DS3] [IDF] 22 to 25 do not exist
    input_only=frozenset(),
    forbidden={
        **_named("SPI flash of the module", 26, 27, 28, 29, 30, 31, 32),  # [DS3] SPICS1 ... SPID
        **_named("octal flash or PSRAM", 33, 34, 35, 36, 37),  # [DS3] SPIIO4-7, SPIDQS
        **_named("native USB: console and flashing", 19, 20),  # [DS3] USB_D-, USB_D+
        **_named("UART0: console and flashing", 43, 44),  # [DS3] U0TXD, U0RXD
    },
    with_psram={},
    fast_spi={1: (12, 11, 13)},  # [DS3] FSPICLK, FSPID, FSPIQ; SPI(2) has no IO_MUX pins
    strapping={  # [DS3] Strapping Pins
        0: "must be high at reset, low means download",
        3: "selects the source of JTAG",
        45: "must be low at reset, high selects 1.8 V for the flash",
        46: "must be low at reset or download fails",
    },
)

CHIPS = {chip.name: chip for chip in (ESP32, ESP32S3)}
