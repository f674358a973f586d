// SPDX-License-Identifier: MIT
#define MICROPY_HW_BOARD_NAME "Kassa S3"
#define MICROPY_HW_MCU_NAME   "ESP32S3"
#define MICROPY_VFS_ROM       (1)
