"""The code as the rules see it: files, and what their syntax trees hold."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from config.embedded import CHECKOUT

APPS = ("config", "exports", "ratings", "kudos", "accounts")


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


@cache
def code_files() -> tuple[Path, ...]:
    """Return every module of the service, migrations excluded."""
    found = (path for app in APPS for path in (CHECKOUT / app).rglob("*.py"))
    return tuple(sorted(path for path in found if "migrations" not in path.parts))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


@cache
def _all_nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(path)))


def nodes(path: Path, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in _all_nodes(path) if isinstance(node, kinds))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return nodes(path, ast.FunctionDef, ast.AsyncFunctionDef)


def classes(path: Path) -> Iterator[ast.ClassDef]:
    return nodes(path, ast.ClassDef)


def called(node: ast.Call) -> str:
    """Return what is called, as it is written: ``transaction.atomic``."""
    return ast.unparse(node.func)


def length(node: ast.FunctionDef) -> int:
    return node.end_lineno - node.lineno + 1


def body_length(node: ast.FunctionDef) -> int:
    """Return how many lines a function has without its head and its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def place(path: Path, node: ast.AST) -> str:
    return f"{name_of(path)}:{node.lineno}"
