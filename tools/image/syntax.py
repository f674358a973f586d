# SPDX-License-Identifier: MIT
"""Parsed source files whose nodes are asked for many times: each file is walked once."""

import ast
from collections.abc import Sequence


def nodes(tree: ast.Module) -> Sequence[ast.AST]:
    """All nodes of a file, in the order of ast.walk."""
    if not hasattr(tree, "walked"):
        tree.walked = list(ast.walk(tree))  # type: ignore[attr-defined]
    return tree.walked  # type: ignore[attr-defined]
