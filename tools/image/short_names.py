# SPDX-License-Identifier: MIT
"""Short names for what only Kassa's own files call by name, so that its modules share them.

MicroPython keeps every distinct name of the loaded bytecode in heap for ever, and its table of names grows in steps of many
kilobytes. So private names, public ones that nothing else can know (public_names.py), and parameters that nobody passes by
keyword get short names that many modules use again. A name means the same in every file; two names that one file or the
files of its classes' bases use never become the same. Line numbers stay.
"""

import ast
import builtins
import io
import itertools
import keyword
import string
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tools.image.syntax import nodes, parsed

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_LETTERS = [*string.ascii_lowercase, *("".join(pair) for pair in itertools.product(string.ascii_lowercase, repeat=2))]
_SHORT = [name for name in _LETTERS if not keyword.iskeyword(name) and not hasattr(builtins, name)]


class ShortNames:
    """The short names for a set of files, as texts, that are loaded together.

    `guests`: files that are not compiled with them but use them, such as a tool's script for a chip; they find every name
    that they use. `public`: the public names that may be short. `last`: more of them, whose short names do not change those
    of the others. `short`: the short name of each.
    """

    def __init__(
        self,
        sources: Iterable[str],
        guests: Iterable[str] = (),
        public: Iterable[str] = (),
        last: Iterable[str] = (),
    ) -> None:
        texts, strange = list(sources), list(guests)
        trees = [parsed(text) for text in texts]
        self._keywords = {name for tree in [*trees, *map(parsed, strange)] for name in _keywords(tree)}
        private = _ours(trees) - {name for tree in trees for name in _untouchable(tree)}
        kept = set().union(*map(_names, strange)) | self._keywords
        names = [_names(text) for text in texts]
        families = [set().union(*(names[one] for one in family)) for family in _families(trees)]
        self.short = _assigned((private | set(public)) - kept, families, {})
        self.short |= _assigned(set(last) - kept - set(self.short), families, self.short)

    def apply(self, text: str) -> str:
        """A file's source with the short names."""
        text = _replaced(text, [(*at, name, self.short[name]) for at, name in _tokens(text) if name in self.short])
        lines = text.splitlines(keepends=True)
        parameters = _parameters(parsed(text), self._keywords)
        return _replaced(
            text,
            [
                (row, len(lines[row - 1].encode()[:column].decode()), *names)  # ast counts bytes
                for (row, column), names in parameters.items()
            ],
        )


def _replaced(text: str, names: Iterable[tuple[int, int, str, str]]) -> str:
    """The text with other names: row, column, the name there, and the new one."""
    lines = text.splitlines(keepends=True)
    for row, column, name, new in sorted(names, reverse=True):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new + line[column + len(name) :]
    return "".join(lines)


def _tokens(text: str) -> list[tuple[tuple[int, int], str]]:
    """(row, column) and text of each name in a file."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [(token.start, token.string) for token in tokens if token.type == tokenize.NAME]


def _names(text: str) -> set[str]:
    return {name for _, name in _tokens(text)}


def _keywords(tree: ast.Module) -> Iterator[str]:
    return (node.arg for node in nodes(tree) if isinstance(node, ast.keyword) and node.arg)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and len(name) > 2


def _ours(trees: Iterable[ast.Module]) -> set[str]:
    """Private names that these files define, so that they are nobody else's."""
    found = set()
    for node in itertools.chain.from_iterable(map(nodes, trees)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            found |= {node.attr} if node.value.id == "self" else set()
    return {name for name in found if _is_private(name)}


def _untouchable(tree: ast.Module) -> Iterator[str]:
    """Private names of modules, names in strings, and attributes set on others' objects."""
    for node in nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield from alias.name.split(".") if isinstance(node, ast.Import) else ()
            yield from (node.module or "").split(".") if isinstance(node, ast.ImportFrom) else ()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if not (isinstance(node.value, ast.Name) and node.value.id == "self"):
                yield node.attr


def _families(trees: list[ast.Module]) -> list[set[int]]:
    """The place of each file together with those of all files whose classes it extends, directly or not."""
    of_class: dict[str, set[int]] = defaultdict(set)  # the files that define a class of this name
    extended: list[set[str]] = []  # the names of the classes that a file's classes extend
    for place, tree in enumerate(trees):
        classes = [node for node in nodes(tree) if isinstance(node, ast.ClassDef)]
        for node in classes:
            of_class[node.name].add(place)
        bases = [base for node in classes for base in node.bases]
        extended.append({base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in bases})
    found = []
    for place in range(len(trees)):
        family, new = {place}, {place}
        while new:
            new = {other for one in new for name in extended[one] for other in of_class[name]} - family
            family |= new
        found.append(family)
    return found


def _assigned(shared: set[str], families: list[set[str]], before: dict[str, str]) -> dict[str, str]:
    """A short name for each name, none of them twice in one family. Those with most neighbours choose first.

    `before`: names that have theirs.
    """
    beside: dict[str, set[str]] = defaultdict(set)
    for family in families:
        for name in family & shared:
            beside[name] |= family
    chosen = dict(before)
    for name in sorted(shared, key=lambda name: (-len(beside[name] & shared), name)):
        taken = {chosen.get(other, other) for other in beside[name]}
        sign = "_" if name[0] == "_" else ""
        chosen[name] = next(short for each in _SHORT if (short := sign + each) not in taken)
    return chosen


def _parameters(tree: ast.Module, keywords: set[str]) -> dict[tuple[int, int], tuple[str, str]]:
    """Position of each name that is a parameter of its function, with the name and its short one."""
    found: dict[tuple[int, int], tuple[str, str]] = {}
    functions = [node for node in nodes(tree) if isinstance(node, _Function)]
    nested = {inner for function in functions for part in _body(function) for inner in ast.walk(part)}
    for function in functions:
        if function in nested:  # its names must not hide the short ones around it
            continue
        every = [node for part in _body(function) for node in ast.walk(part)]
        used = {node.id for node in every if isinstance(node, ast.Name)}
        inner = {node.arg for node in every if isinstance(node, ast.arg)}
        free = (short for short in _SHORT if short not in used | inner)
        for argument in function.args.posonlyargs + function.args.args:
            name = argument.arg
            if name in keywords | inner | {"self", "cls"} or name in _SHORT or _declared(every, name):
                continue
            short = next(free)
            found[argument.lineno, argument.col_offset] = name, short
            for node in every:
                if isinstance(node, ast.Name) and node.id == name:
                    found[node.lineno, node.col_offset] = name, short
    return found


def _body(function: _Function) -> list[ast.AST]:
    return [function.body] if isinstance(function, ast.Lambda) else list(function.body)


def _declared(nodes: list[ast.AST], name: str) -> bool:
    """Whether a name is bound in another way than by assignment in this body: global, nonlocal, import, except, def."""
    for node in nodes:
        if isinstance(node, ast.Global | ast.Nonlocal) and name in node.names:
            return True
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler)
            and node.name == name
        ):
            return True
        if isinstance(node, ast.alias) and name in (node.asname, node.name):
            return True
    return False
