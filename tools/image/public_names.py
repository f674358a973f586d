# SPDX-License-Identifier: MIT
"""The public names of the firmware that nothing else can know: those may be short in its bytecode (short_names.py)."""

import ast
import asyncio
import builtins
import errno
import gc
import hashlib
import io
import os
import re
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Mapping

from tools.image.shared_numbers import said
from tools.image.syntax import nodes

# What MicroPython's own modules are asked for or ask of objects, and CPython has not: these names are in the interpreter.
_PORT = """
aes any bytearray_at bytes_at calcsize collect const decrypt deepsleep deinit dupterm duty encrypt fill fill_rect
framebuf freq from_bytes heap_lock heap_unlock hline ifconfig init ioctl ipoll irq kbd_intr line mem_alloc mem_free
mem_info mount off on opt_level pixel poly qstr_info rect scroll set_time sizeof sleep_ms sleep_us stack_use struct
text threshold ticks_add ticks_diff ticks_ms ticks_us to_bytes umount unique_id value vline wdt wrap_socket
"""
_THEIRS: tuple[object, ...] = (
    asyncio, asyncio.Event, asyncio.Lock, asyncio.Queue, asyncio.StreamReader, asyncio.StreamWriter, asyncio.Task, builtins,
    errno, gc, hashlib, hashlib.sha256(), io, io.BytesIO, io.IOBase, os, select, select.poll(), socket, socket.socket, ssl,
    ssl.SSLContext, ssl.SSLSocket, struct, sys, time, BaseException, OSError, bool, bytearray, bytes, dict, float, int, list,
    memoryview, object, set, str, tuple, type, (one for one in ()),
)  # fmt: skip
_TEXTS = "kassa.screens.texts."  # what the screens say: these strings name nothing
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def public_names(files: Mapping[str, ast.Module], others: Iterable[ast.Module]) -> set[str]:
    """Names that these files define and that are asked for by name in no other way.

    `files`: by the full name of the module, whose parts stay. `others`: sources whose names stay, boards and tools.
    """
    kept = set(_PORT.split()).union(*map(dir, _THEIRS), *(module.split(".") for module in files))
    found: set[str] = set()
    for tree in others:
        kept.update(said(tree), _kept(tree))
    for module, tree in files.items():
        found.update(_defined(tree))
        if not module.startswith(_TEXTS):
            kept.update(_kept(tree))
    return {name for name in found - kept if len(name) > 2 and name[0] != "_"}


def _defined(tree: ast.Module) -> Iterator[str]:
    """Functions, classes, variables of modules and classes, attributes of objects."""
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                yield node.attr
        if isinstance(node, ast.Module | ast.ClassDef):
            for inner in node.body:
                targets = inner.targets if isinstance(inner, ast.Assign) else ()
                targets = (inner.target,) if isinstance(inner, ast.AnnAssign) else targets
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def _kept(tree: ast.Module) -> Iterator[str]:
    """Words in strings, parts of modules' names, names passed by keyword, and types whose names people read: errors.

    And constants: mpy-cross puts the number of one in place of every equal name in its file, a parameter's too.
    """
    unread = set(_unread(tree))
    for node in nodes(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            if node.value.func.id == "const":
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        if isinstance(node, ast.Constant) and node not in unread:
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            yield from _WORD.findall(text) if isinstance(text, str) else ()
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
        elif isinstance(node, ast.ClassDef) and node.bases:
            yield node.name


def _unread(tree: ast.Module) -> Iterator[ast.AST]:
    """The strings that are not in the bytecode: docstrings and annotations."""
    for node in nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        for field in ("annotation", "returns"):
            if isinstance(part := getattr(node, field, None), ast.AST):
                yield from ast.walk(part)
