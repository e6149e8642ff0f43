"""Numbers in place of named constants, throughout a program: names cost a board its memory.

MicroPython keeps every name of a module in a dictionary and looks it up each time; only within one
file does its compiler replace a constant.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pulse_unit.cli.program import Edit, edited, names_in_f_strings, place

_NAME = re.compile(r"_?[A-Z][A-Z0-9_]*")
_OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}


@dataclass
class _Module:
    """A file of the program: its text, its tree and the numbers that its names stand for."""

    text: str
    tree: ast.Module
    own: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)


def fold_constants(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a program with its constants replaced by their numbers.

    Args:
        texts: module name to source text, of every module that the program has.
    """
    modules = {name: _Module(text, ast.parse(text)) for name, text in texts.items()}
    kept = {name for module in modules.values() for name in names_in_f_strings(module.tree)}
    done: set[str] = set()
    for name in modules:
        _learn(name, modules, done, kept)
    return {name: edited(module.text, _edits(module, modules)) for name, module in modules.items()}


def _learn(name: str, modules: dict[str, _Module], done: set[str], kept: set[str]) -> None:
    """Find what the names of a module stand for, after those of the modules that it imports."""
    if name in done:
        return
    done.add(name)
    module = modules[name]
    assigned = _assigned(module.tree)
    for statement in module.tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module in modules:
            _learn(statement.module, modules, done, kept)
            numbers = modules[statement.module].own
            for alias in statement.names:
                if alias.name in numbers and alias.asname is None:
                    module.known[alias.name] = numbers[alias.name]
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and _NAME.fullmatch(target.id):
                number = _number(statement.value, module.known)
                if number is not None and assigned.count(target.id) == 1 and target.id not in kept:
                    module.own[target.id] = module.known[target.id] = number


def _assigned(tree: ast.Module) -> list[str]:
    """Every name that is stored to, as often as it is, anywhere in a file."""
    return [
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    ]


def _number(node: ast.expr, known: Mapping[str, int]) -> int | None:
    """Return the whole number that an expression stands for, if it surely does."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operand = _number(node.operand, known)
        return None if operand is None else -operand
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _number(node.left, known), _number(node.right, known)
        if left is not None and right is not None:
            return _OPERATIONS[type(node.op)](left, right)
    return None


def _edits(module: _Module, modules: Mapping[str, _Module]) -> Iterator[Edit]:
    """What to write in place of which part of a file."""
    for statement in module.tree.body:
        imported = statement.module if isinstance(statement, ast.ImportFrom) else None
        if isinstance(statement, ast.ImportFrom) and imported and imported in modules:
            numbers = modules[imported].own
            kept = [alias for alias in statement.names if alias.name not in numbers]
            if len(kept) < len(statement.names):
                names = ", ".join(ast.unparse(alias) for alias in kept)
                yield (*place(statement), f"from {imported} import {names}" if kept else "")
        elif isinstance(statement, ast.Assign) and _is_folded(statement, module):
            yield (*place(statement), "")
        else:
            yield from _uses(statement, module)


def _is_folded(statement: ast.Assign, module: _Module) -> bool:
    target = statement.targets[0]
    return isinstance(target, ast.Name) and target.id in module.own


def _uses(statement: ast.stmt, module: _Module) -> Iterator[Edit]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in module.known and _is_read(node):
            number = module.known[node.id]
            yield (*place(node), f"({number})" if number < 0 else str(number))


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)
