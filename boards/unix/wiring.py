# SPDX-License-Identifier: MIT
"""The interface between the simulator's two processes: pin assignment, and the messages on the bus between them.

A message is a header (operation u8, unit u8, payload size u16, virtual ms since power-on modulo 2**30 u32,
little-endian) and a payload. Messages marked -> get the answer described. The others go one way, and may be delayed
until the next message that needs an answer.
"""

# Pins of the board.
DISPLAY_CS = 10
DISPLAY_DC = 9
DISPLAY_RST = 8
DISPLAY_LIGHT = 14
READER_CS = 39
READER_IRQ = 40
READER_RST = 41
KEY_ROWS = (4, 5, 6, 7)
KEY_COLS = (15, 16, 17, 18)

# Buses of the board.
DISPLAY_SPI = 1
READER_SPI = 2
PRINTER_UART = 1
SCANNER_UART = 2
READER_I2C = 0  # free unless the reader is moved there, as is this UART
READER_UART = 4
BUZZER = 21
LED = 46

# Operations; the unit is the number of the pin, bus or UART.
HELLO = 0  # -> mode u8 (MAY_JUMP and requests), reset cause u8, MAC 6 bytes
IDLE = 1  # payload: ms until the next timer u32 -> jump u32, credit u16, wait u8, requests u8, live inputs 8 bytes
PIN_WRITE = 2  # payload: level u8
PIN_READ = 3  # -> level u8
SPI_SETUP = 4  # payload: baud u32, polarity u8, phase u8, least significant bit first u8
SPI_WRITE = 5  # payload: the bytes
SPI_TRANSFER = 6  # payload: the bytes -> as many bytes
SPI_READ = 7  # payload: size u16, fill u8 -> that many bytes
UART_WRITE = 8  # payload: the bytes
UART_READ = 9  # payload: limit u16 -> size u16, then that many bytes
UART_ANY = 10  # -> size u16
WLAN = 11  # unit: WLAN_*; payload: see WLAN_* below -> status u16, signal in -dBm u8, flags u8
RESOLVE = 12  # payload: "host:port" -> port of the relay to use instead u16 (0 = no network, or no such name)
FLASH = 13  # unit: 0 program, 1 erase; payload: address u32, size u16
POWER_LOST = 14  # the flash chip has reached its cut; no answer: the process is killed
RESET = 15  # unit: reset cause
WATCHDOG = 16  # payload: time-out in ms u32
HEAP = 17  # payload: bytes in use u32, bytes free u32, in use after a collection u32
GET_CUT = 18  # -> operation u32, seed u32, length of the tear's name u8, the name 23 bytes
GET_LEAP = 19  # -> ms u32
I2C_WRITE = 20  # payload: address u8, then the bytes -> acknowledged u8
I2C_READ = 21  # payload: address u8, size u16 -> acknowledged u8, then that many bytes if it is 1
PWM = 22  # unit: pin; payload: Hz u32, duty u16 (of 65536)
LOOKUP = 23  # payload: the host's name or number -> ms for which looking it up stops the chip u16

# Bits of the requests in an answer to IDLE.
WANT_HEAP = 1
WANT_CUT = 2
WANT_LEAP = 4
MAY_JUMP = 0x80  # in the mode: ticks may jump

# Live inputs are 64 bits: pins 0 to 55 that a chip may be driving now, then UARTs 0 to 7 with bytes waiting.
LIVE_UART = 56

# WLAN commands and flags. The status is that of WLAN.status().
WLAN_STATUS = 0
WLAN_OFF = 1
WLAN_ON = 2
WLAN_CONNECT = 3  # payload: "ssid\0key"
WLAN_DISCONNECT = 4
WLAN_RECONNECTS = 5  # payload: attempts u8, 0 = no limit
WLAN_POWER = 6  # payload: saves power u8
WLAN_SCAN = 7  # -> size u16, then for each access point: name length u8, name, BSSID 6, channel, -dBm, security u8
WLAN_HAS_ADDRESS = 1
WLAN_HAS_AP = 2
WLAN_REFUSED = 4  # the driver refuses what was asked

# Reset causes, numbered as `machine` does.
POWER_ON = 1
WATCHDOG_RESET = 3
SOFT_RESET = 5
