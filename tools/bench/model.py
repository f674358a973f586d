# SPDX-License-Identifier: MIT
"""The one place where milliseconds are modelled: what the chip takes by its datasheet, and what the processor takes.

Flash: 0.7 ms for each 256 B page started, 45 ms an erase (typical figures of serial NOR chips). Processor: an ESP32 at
240 MHz, 2.0 cycles for an instruction that 32-bit MicroPython takes here. Air: ISO/IEC 14443 type A at 106 kbit/s, nine bits
a byte, blocks of 64 bytes with three of their own, a pause between blocks; the card's own thinking is not counted. Nothing
here was measured on a device.
"""

from collections.abc import Sequence

PROGRAM_MS = 0.7
ERASE_MS = 45.0
CYCLES = 2.0  # for one counted instruction
CLOCK_HZ = 240_000_000


AIR_BITS_PER_MS = 13_560 / 128
BLOCK = 61  # bytes of an APDU in one block
BLOCK_OVERHEAD = 3  # protocol byte and checksum
BLOCK_PAUSE_MS = 0.3  # frame delay times, and start and end of frame
ACTIVATION_MS = 10.0  # field on, anticollision, selection, RATS
BUS_HZ = 5_000_000


def air_ms(commands: Sequence[bytes], answers: Sequence[bytes]) -> float:
    """What the APDUs of a tap take on the air, activation included."""
    sizes = [len(apdu) for apdu in (*commands, *answers)]
    blocks = sum(-(-size // BLOCK) for size in sizes)
    blocks += blocks - len(sizes)  # every block but the last of a chain is acknowledged
    return ACTIVATION_MS + (sum(sizes) + BLOCK_OVERHEAD * blocks) * 9 / AIR_BITS_PER_MS + blocks * BLOCK_PAUSE_MS


def bus_ms(count: int) -> float:
    """What `count` bytes take between processor and reader."""
    return count * 8 / BUS_HZ * 1000


def flash_ms(programs: int, erases: int) -> float:
    """What the flash chip takes."""
    return programs * PROGRAM_MS + erases * ERASE_MS


def processor_ms(instructions: float) -> float:
    """What the processor takes."""
    return instructions * CYCLES / CLOCK_HZ * 1000


def parts(name: str, chip_ms: float, instructions: float | None) -> dict[str, float]:
    """`name`_ms, the flash's part; where instructions were counted, also `name`_cpu_ms, the processor's, and `name`_total_ms."""
    figures = {f"{name}_ms": round(chip_ms, 3)}
    if instructions is not None:
        cpu = processor_ms(instructions)
        figures |= {f"{name}_cpu_ms": round(cpu, 3), f"{name}_total_ms": round(chip_ms + cpu, 3)}
    return figures
