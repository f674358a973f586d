# SPDX-License-Identifier: MIT
"""Writes the numbers that one module defines into the modules that use them.

A public constant costs a name for ever and an entry in the module that defines it and in each that imports it. In the
bytecode only its number is left: definitions that nobody asks for and imports of nothing but numbers go. Line numbers stay.
A number is a name in capitals that a module defines once, with const() or as a plain integer.
"""

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping

from tools.image.syntax import nodes, parsed

_Edit = tuple[int, int, int, str]  # row from 1, first byte, last byte + 1, what stands there instead
_OPERATORS = {
    ast.Add: int.__add__, ast.Sub: int.__sub__, ast.Mult: int.__mul__, ast.BitOr: int.__or__,
    ast.BitAnd: int.__and__, ast.LShift: int.__lshift__, ast.RShift: int.__rshift__, ast.FloorDiv: int.__floordiv__,
}  # fmt: skip


class SharedNumbers:
    """The numbers of modules that are loaded together. `modules`: their sources by full name.

    `guests`: sources that use these modules but are not changed; every name in them is kept, so are names in strings and
    those that are asked for in a way that is not understood here.
    """

    def __init__(self, modules: Mapping[str, str], guests: Iterable[str] = ()) -> None:
        trees = {module: parsed(text) for module, text in modules.items()}
        self._modules = set(trees)
        self.numbers: dict[tuple[str, str], int] = {}  # by module and name
        for module in trees:
            self._define(module, trees)
        kept = {name for guest in guests for name in said(parsed(guest))}
        for tree in trees.values():
            kept |= set(_strings(tree)) | self._not_understood(tree)
        self.hidden = {(module, name) for module, name in self.numbers if name not in kept and name[0] != "_"}

    def apply(self, text: str, module: str = "") -> str:
        """A source with numbers in place of names. `module`: its full name, if it is one of the set."""
        tree = parsed(text)
        gone = [node for node in tree.body if (module, _defined(node)) in self.hidden]
        inside = {inner for node in gone for inner in ast.walk(node)}
        edits = [(node.lineno, node.col_offset, node.end_col_offset or 0, "pass") for node in gone]
        edits += [*self._own(tree, module, inside), *self._fold(tree, inside)]
        lines = text.splitlines(keepends=True)
        for row, first, last, new in sorted(edits, reverse=True):
            line = lines[row - 1].encode()
            lines[row - 1] = (line[:first] + new.encode() + line[last:]).decode()
        return "".join(lines)

    def _define(self, module: str, trees: Mapping[str, ast.Module], within: tuple[str, ...] = ()) -> None:
        """Find the numbers of a module, those of the modules that it imports first."""
        for node in trees[module].body:
            other = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if (
                other in trees
                and other not in (*within, module)
                and not any(known == other for known, _ in self.numbers)
            ):
                self._define(other, trees, (*within, module))
        names, tree = self._imported(trees[module]), trees[module]
        stored = [node.id for node in nodes(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
        for node in tree.body:
            name = _defined(node)
            number = _value(node.value, names) if name and stored.count(name) == 1 else None  # type: ignore[attr-defined]
            if number is not None:
                names[name] = self.numbers[module, name] = number

    def _imported(self, tree: ast.Module) -> dict[str, int]:
        """The names that stand for a number of another module in this file, and for nothing else."""
        found: dict[str, int] = {}
        for node in nodes(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    number = self.numbers.get((node.module or "", alias.name))
                    if number is not None:
                        found[alias.asname or alias.name] = number
        bound = _bound(tree)
        return {name: number for name, number in found.items() if name not in bound}

    def _aliases(self, tree: ast.Module) -> dict[str, str]:
        """The names that stand for a module of the set in this file, with its full name."""
        found = {}
        for node in nodes(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    module = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
                    if module in self._modules and (
                        alias.asname or isinstance(node, ast.ImportFrom) or "." not in module
                    ):
                        found[alias.asname or alias.name] = module
        bound = _bound(tree)
        return {name: module for name, module in found.items() if name not in bound}

    def _of_module(self, node: ast.AST, aliases: Mapping[str, str]) -> int | None:
        """The number of `module.NAME`, None if it is none."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            return self.numbers.get((aliases.get(node.value.id, ""), node.attr))
        return None

    def _not_understood(self, tree: ast.Module) -> set[str]:
        """Names that may be asked for of a module at run time: attributes of anything else, imports that are not replaced."""
        aliases, imported = self._aliases(tree), self._imported(tree)
        found = set()
        for node in nodes(tree):
            if isinstance(node, ast.Attribute) and self._of_module(node, aliases) is None:
                found.add(node.attr)
            elif isinstance(node, ast.ImportFrom):
                found |= {alias.name for alias in node.names if (alias.asname or alias.name) not in imported}
        return found

    def _own(self, tree: ast.Module, module: str, gone: set[ast.AST]) -> Iterator[_Edit]:
        """Write numbers in place of the module's own names for them."""
        for node in nodes(tree):
            if isinstance(node, ast.Name) and (module, node.id) in self.hidden and node not in gone:
                yield node.lineno, node.col_offset, node.end_col_offset or 0, _text(self.numbers[module, node.id])

    def _fold(self, tree: ast.Module, gone: set[ast.AST]) -> Iterator[_Edit]:
        """Write numbers in place of what is imported, and leave out the imports that nothing needs then."""
        imported, aliases = self._imported(tree), self._aliases(tree)
        folded, used = set(), set()
        inside = {node.value for node in nodes(tree) if self._of_module(node, aliases) is not None}  # type: ignore[attr-defined]
        for node in nodes(tree):
            number = self._of_module(node, aliases)
            if isinstance(node, ast.Name) and node not in inside:
                number = imported.get(node.id)
                used.add(node.id)
            if number is not None and node not in gone:
                folded.add(node.value.id if isinstance(node, ast.Attribute) else node.id)  # type: ignore[union-attr]
                yield node.lineno, node.col_offset, node.end_col_offset, _text(number)  # type: ignore[attr-defined]
        unneeded = set(imported) | {name for name in folded if name in aliases and name not in used}
        for node in nodes(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                rest = [alias for alias in node.names if (alias.asname or alias.name) not in unneeded]
                if len(rest) < len(node.names):
                    yield from _replaced(node, _with_names(node, rest) if rest else "pass")


def _defined(node: ast.stmt) -> str:
    """The name that a statement of a module gives to what may be a number, "" for any other statement."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        return name if name.isupper() and node.lineno == node.end_lineno else ""
    return ""


def _text(number: int) -> str:
    return str(number) if number >= 0 else f"({number})"


def _with_names(node: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> str:
    """The text of an import of only these names."""
    if isinstance(node, ast.Import):
        return ast.unparse(ast.Import(names))
    return ast.unparse(ast.ImportFrom(node.module, names, node.level))


def _replaced(node: ast.Import | ast.ImportFrom, text: str) -> Iterator[_Edit]:
    """The edits that put one line in place of a statement, and leave its other lines empty."""
    end = node.end_lineno or node.lineno
    for row in range(node.lineno, end + 1):
        first = node.col_offset if row == node.lineno else 0
        last = node.end_col_offset or 0 if row == end else 1 << 16
        yield row, first, last, (text if row == node.lineno else "") + ("" if row == end else "\n")


@functools.lru_cache(1)  # a file's names are asked for several times in a row
def _bound(tree: ast.Module) -> set[str]:
    """The names that a file binds anywhere, except by import."""
    found = set()
    for node in nodes(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _strings(tree: ast.Module) -> Iterator[str]:
    return (node.value for node in nodes(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def said(tree: ast.Module) -> Iterator[str]:
    """Every name in a file, however it is used."""
    for node in nodes(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                yield name
    yield from _strings(tree)


def _value(node: ast.expr, names: Mapping[str, int]) -> int | None:
    """The integer that an expression stands for, None if it is not plain."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const":
        return _value(node.args[0], names)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(node.operand, names)
        return None if inner is None else -inner
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left, names), _value(node.right, names)
        return None if left is None or right is None else _OPERATORS[type(node.op)](left, right)
    return None
