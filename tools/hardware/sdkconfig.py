# SPDX-License-Identifier: MIT
"""Checks sdkconfig.board: every key is one that is known to exist, and its value has the type of that key.

The build system ignores a misspelt key without a word. The list holds the keys in use here, from the Kconfig files of
ESP-IDF 5.4 (component in brackets). Before a board uses another one, look it up there and add it.
"""

import re

_BOOL = re.compile(r"y|")  # an empty value switches off
_STRING = re.compile(r'"[^"]*"')
_INT = re.compile(r"\d+|0x[0-9a-fA-F]+")
KEYS = {
    "CONFIG_ESPTOOLPY_FLASHSIZE_4MB": _BOOL,  # [esptool_py] Kconfig.projbuild, choice ESPTOOLPY_FLASHSIZE
    "CONFIG_ESPTOOLPY_FLASHSIZE_8MB": _BOOL,
    "CONFIG_ESPTOOLPY_FLASHSIZE_16MB": _BOOL,
    "CONFIG_LWIP_LOCAL_HOSTNAME": _STRING,  # [lwip] Kconfig
    "CONFIG_MBEDTLS_INTERNAL_MEM_ALLOC": _BOOL,  # [mbedtls] Kconfig, choice MBEDTLS_MEM_ALLOC_MODE
    "CONFIG_MBEDTLS_DEFAULT_MEM_ALLOC": _BOOL,
    "CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN": _INT,
    "CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN": _INT,
}
# Of each choice exactly one is on: naming one that is off needs another that is on.
_CHOICES = ("CONFIG_ESPTOOLPY_FLASHSIZE_", "CONFIG_MBEDTLS_INTERNAL_MEM_ALLOC|CONFIG_MBEDTLS_DEFAULT_MEM_ALLOC")


def problems(text: str) -> list[str]:
    """What is wrong with an sdkconfig fragment, one line each."""
    bad = []
    seen: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals:
            bad.append(f"line {number}: {line!r} is not KEY=value")
        elif key not in KEYS:
            bad.append(f"line {number}: {key} is not a known key")
        elif not KEYS[key].fullmatch(value):
            bad.append(f"line {number}: {key} cannot be {value!r}")
        if key in seen:
            bad.append(f"line {number}: {key} is set twice")
        seen[key] = value
    for choice in _CHOICES:
        of = [value for key, value in seen.items() if re.match(choice, key)]
        if of and of.count("y") != 1:
            bad.append(f"{choice}: {of.count('y')} of them are on, one must be")
    return bad
