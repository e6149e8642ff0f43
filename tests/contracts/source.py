"""What the structure tests read: the tree's Python files as syntax trees, and what they import."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared", "pulse_unit", "collector", "elec_meter")


class Finding(NamedTuple):
    """Where a rule is broken, and how."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


class Import(NamedTuple):
    """One imported module or name, as an absolute dotted path."""

    line: int
    target: str
    typing_only: bool


@dataclass(frozen=True)
class Source:
    """One Python file: `path` is relative to the root of the tree, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text, self.path)

    @cached_property
    def name(self) -> str:
        """Dotted name of the module, that of a package for its `__init__`."""
        parts = self.path.removesuffix(".py").split("/")
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def is_init(self) -> bool:
        """Whether it is a package's `__init__`."""
        return self.path.endswith("/__init__.py")

    @property
    def package(self) -> str:
        """Dotted name of the package in which relative imports start."""
        return self.name if self.is_init else self.name.rpartition(".")[0]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree."""
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> list[Import]:
        """Every import, wherever it stands; `from a import b` imports `a.b`."""
        return list(_imports(self))

    @cached_property
    def origins(self) -> dict[str, str]:
        """Local names to the dotted path that they were imported from."""
        return dict(_origins(self))

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Line and text of every comment."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [(t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT]

    def finding(self, node: ast.AST | int, what: str) -> Finding:
        """A finding in this file, at a node or a line."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return Finding(self.path, line, what)

    def dotted(self, node: ast.AST) -> str | None:
        """What an expression such as `dt.now` was imported as: `datetime.datetime.now`."""
        if isinstance(node, ast.Name):
            return self.origins.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            root = self.dotted(node.value)
            return None if root is None else f"{root}.{node.attr}"
        return None


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """The Python files under some folders of the tree, in order of path."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in paths
    )


def words(text: str) -> frozenset[str]:
    """The words of a text: a long set without its quotes."""
    return frozenset(text.split())


def demand_none(
    check: Callable[[Source], Iterator[Finding]], looked_at: tuple[Source, ...]
) -> None:
    """Fail with one line for everything that a check finds."""
    found = [str(finding) for source in looked_at for finding in check(source)]
    if found:
        pytest.fail("\n".join(["", *found]), pytrace=False)


def listed(findings: Iterator[Finding]) -> list[str]:
    """Findings as text, so that a failing test prints one a line."""
    return [str(finding) for finding in findings]


def _imports(source: Source) -> Iterator[Import]:
    typing_only = {
        id(inner)
        for node in source.nodes
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, id(node) in typing_only)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                target = f"{_base(source, node)}.{alias.name}"
                yield Import(node.lineno, target, id(node) in typing_only)


def _origins(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (
                    (alias.asname, alias.name)
                    if alias.asname
                    else (
                        alias.name.partition(".")[0],
                        alias.name.partition(".")[0],
                    )
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{_base(source, node)}.{alias.name}"


def _base(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = source.package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)
