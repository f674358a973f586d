# SPDX-License-Identifier: MIT
"""The only place where milliseconds are modelled: flash, processor, and communication with the card.

Flash: 0.7 ms per 256-byte page program, 45 ms per erase (typical values of serial NOR chips). Processor: an ESP32 at
240 MHz, 2.0 cycles per x86 instruction counted with 32-bit MicroPython. Air: ISO/IEC 14443 type A at 106 kbit/s, nine
bits per byte, blocks of 64 bytes with three bytes of overhead, and a pause between blocks; the card's processing time
is not counted. Reading flash: 40 MHz on two lines, the ESP32 port's default. Display: its bus at 40 MHz. Nothing here was
measured on a device.
"""

from collections.abc import Sequence

PROGRAM_MS = 0.7
ERASE_MS = 45.0
CYCLES = 2.0  # per counted instruction
CLOCK_HZ = 240_000_000


AIR_BITS_PER_MS = 13_560 / 128
BLOCK = 61  # bytes of an APDU in one block
BLOCK_OVERHEAD = 3  # protocol byte and checksum
BLOCK_PAUSE_MS = 0.3  # frame delay times, and start and end of frame
ACTIVATION_MS = 10.0  # field on, anticollision, selection, RATS
BUS_HZ = 5_000_000
FLASH_BYTES_PER_MS = 10_000
DISPLAY_BYTES_PER_MS = 5_000


def air_ms(commands: Sequence[bytes], answers: Sequence[bytes]) -> float:
    """Time to transfer the APDUs of a tap, including activation."""
    sizes = [len(apdu) for apdu in (*commands, *answers)]
    blocks = sum(-(-size // BLOCK) for size in sizes)
    blocks += blocks - len(sizes)  # every block of a chain except the last is acknowledged
    return ACTIVATION_MS + (sum(sizes) + BLOCK_OVERHEAD * blocks) * 9 / AIR_BITS_PER_MS + blocks * BLOCK_PAUSE_MS


def bus_ms(count: int) -> float:
    """Time to transfer `count` bytes between processor and reader."""
    return count * 8 / BUS_HZ * 1000


def flash_ms(programs: int, erases: int) -> float:
    """Time of flash operations."""
    return programs * PROGRAM_MS + erases * ERASE_MS


def flash_read_ms(count: int) -> float:
    """Time to read `count` bytes from flash."""
    return count / FLASH_BYTES_PER_MS


def display_ms(count: int) -> float:
    """Time to send `count` bytes to the display."""
    return count / DISPLAY_BYTES_PER_MS


def processor_ms(instructions: float) -> float:
    """Processor time of so many instructions."""
    return instructions * CYCLES / CLOCK_HZ * 1000


def parts(name: str, chip_ms: float, instructions: float | None) -> dict[str, float]:
    """Figures `name`_ms (flash) and, given `instructions`, `name`_cpu_ms (processor) and `name`_total_ms (sum)."""
    figures = {f"{name}_ms": round(chip_ms, 3)}
    if instructions is not None:
        cpu = processor_ms(instructions)
        figures |= {f"{name}_cpu_ms": round(cpu, 3), f"{name}_total_ms": round(chip_ms + cpu, 3)}
    return figures
