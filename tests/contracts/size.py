"""How long a function and a module may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tests.contracts.source import Finding, Source

FUNCTION_LINES = 60
MODULE_LINES = 400

# "path" or "path::function" to the reason why it may be longer. Empty, and meant to stay so.
EXEMPT: Mapping[str, str] = {}


def too_long(source: Source, exempt: Mapping[str, str] = EXEMPT) -> Iterator[Finding]:
    """Modules and functions beyond the limits, decorators and docstrings included."""
    lines = len(source.text.splitlines())
    if lines > MODULE_LINES and source.path not in exempt:
        yield source.finding(1, f"{lines} lines, {MODULE_LINES} are allowed")
    for node in source.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            lines = (node.end_lineno or first) - first + 1
            if lines > FUNCTION_LINES and f"{source.path}::{node.name}" not in exempt:
                yield source.finding(
                    node, f"{node.name} has {lines} lines, {FUNCTION_LINES} are allowed"
                )


def unused_exemptions(
    sources: tuple[Source, ...], exempt: Mapping[str, str] = EXEMPT
) -> Iterator[str]:
    """Exemptions without a reason, or that nothing needs any more: the ratchet."""
    for name, reason in exempt.items():
        path, _, function = name.partition("::")
        needed = any(
            path == finding.path and (not function or finding.what.startswith(f"{function} "))
            for source in sources
            for finding in too_long(source, {})
        )
        if not needed:
            yield f"{name}: not needed any more"
        if len(reason.split()) < 3:
            yield f"{name}: no reason given"
