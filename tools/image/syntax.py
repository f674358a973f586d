# SPDX-License-Identifier: MIT
"""Parsed source files whose nodes are asked for many times: each text is parsed once, and each file walked once."""

import ast
import functools
from collections.abc import Sequence


@functools.cache
def parsed(text: str) -> ast.Module:
    """The tree of a source file, which nobody changes. Kept until `parsed.cache_clear()`."""
    return ast.parse(text)


def nodes(tree: ast.Module) -> Sequence[ast.AST]:
    """All nodes of a file, in the order of ast.walk."""
    if not hasattr(tree, "walked"):
        tree.walked = list(ast.walk(tree))  # type: ignore[attr-defined]
    return tree.walked  # type: ignore[attr-defined]
