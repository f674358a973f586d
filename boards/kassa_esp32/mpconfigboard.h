// SPDX-License-Identifier: MIT
#define MICROPY_HW_BOARD_NAME "Kassa ESP32"
#define MICROPY_HW_MCU_NAME   "ESP32"
#define MICROPY_VFS_ROM       (1)
#define MICROPY_PY_BLUETOOTH  (0)
