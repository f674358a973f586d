# SPDX-License-Identifier: MIT
"""Writes Lightning invoices (BOLT 11) for the simulated LNbits server. Their signature is none: nobody here checks it."""

from tools.host.acquirers.lightning.invoice import checksum

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_HASH, _MEMO, _EXPIRY, _SECRET = 1, 13, 6, 16


def write(
    amount: int, payment_hash: str, made: int, expiry: int | None, memo: str = "", network: str = "bc", hints: int = 0
) -> str:
    """An invoice over `amount` millisatoshi; 0: any. `hints`: routing hints, which make it long."""
    head = f"ln{network}" + (_count(amount) if amount else "")
    words = [made >> shift & 31 for shift in range(30, -1, -5)]
    words += _tag(_HASH, bytes.fromhex(payment_hash)) + _tag(_SECRET, bytes(32)) + _tag(_MEMO, memo.encode())
    for _ in range(hints):
        words += _tag(3, bytes(51))
    if expiry is not None:
        digits = [expiry >> shift & 31 for shift in range(30, -1, -5)]
        while digits and not digits[0]:
            del digits[0]
        words += [_EXPIRY, len(digits) >> 5, len(digits) & 31, *digits]
    words += [0] * 104
    check = checksum(head, words + [0] * 6) ^ 1
    words += [check >> shift & 31 for shift in range(25, -1, -5)]
    return f"{head}1" + "".join(_LETTERS[word] for word in words)


def _count(amount: int) -> str:
    """Millisatoshi in the largest unit that keeps them whole."""
    for unit, size in (("", 10**12), ("m", 10**9), ("u", 10**6), ("n", 10**3)):
        if amount * 10 % size == 0:
            return f"{amount * 10 // size}{unit}"
    return f"{amount * 10}p"


def _tag(kind: int, content: bytes) -> list[int]:
    size = -(-len(content) * 8 // 5)
    number = int.from_bytes(content) << size * 5 - len(content) * 8
    return [kind, size >> 5, size & 31, *(number >> 5 * at & 31 for at in range(size - 1, -1, -1))]
