# SPDX-License-Identifier: MIT
"""Lets go of modules that are not needed again: their functions and names take heap for as long as they are known."""

import sys


def forget_all(names: "tuple[str, ...]", keep: "tuple[str, ...]" = ()) -> None:
    """Forget modules by their place in kassa; "card." stands for all of that room but those to `keep`."""
    for name in names:
        if name.endswith("."):
            known = _of("kassa." + name, keep)
            while known:
                forget(known)
                known = _of("kassa." + name, keep)
        else:
            forget("kassa." + name)


def _of(room: str, keep: "tuple[str, ...]") -> str:
    """One that is known; no list of them all, for this is done where memory is scarce."""
    for known in sys.modules:
        if known.startswith(room) and known[6:] not in keep:
            return known
    return ""


def forget(name: str) -> None:
    """Forget a module of a package ("kassa.vault.journal.mount"); does nothing when it was never imported."""
    sys.modules.pop(name, None)
    package, _, module = name.rpartition(".")
    parent = sys.modules.get(package)
    if parent is not None and hasattr(parent, module):
        delattr(parent, module)
