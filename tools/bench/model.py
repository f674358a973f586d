# SPDX-License-Identifier: MIT
"""The one place where milliseconds are modelled: what the chip takes by its datasheet, and what the processor takes.

Flash: 0.7 ms for each 256 B page started, 45 ms an erase (typical figures of serial NOR chips). Processor: an ESP32 at
240 MHz, 2.0 cycles for an instruction that 32-bit MicroPython takes here. Nothing here was measured on a device.
"""

PROGRAM_MS = 0.7
ERASE_MS = 45.0
CYCLES = 2.0  # for one counted instruction
CLOCK_HZ = 240_000_000


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
