"""A firmware as one file: the modules that a board needs, in the order of their imports.

A module of its own costs a board some 500 bytes of RAM, and each name that another imports from it
a place in a dictionary; in one file they cost nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pulse_unit.errors import UnitError

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "pulse_unit")
_HOST_ONLY = ("shared.crypto.backend_cryptography",)

Edit = tuple[int, int, int, int, str]  # first line and column, last line and column, what is there


class NoProgram(UnitError):  # noqa: N818  it says what the modules are not
    """Modules that cannot become one file.

    Example scenarios: two with a public name in common; one that imports a whole package.
    """


def modules_of(entries: Iterable[str], root: Path = ROOT) -> dict[str, str]:
    """Return the text of every module that some need, each after those that it imports.

    Args:
        entries: dotted names.
        root: the folder in which the packages lie.

    Raises:
        NoProgram: an entry does not exist.
    """
    texts: dict[str, str] = {}
    for entry in entries:
        _collect(entry, root, texts, set())
        if entry not in texts:
            raise NoProgram(f"there is no module {entry}")
    return texts


def _collect(name: str, root: Path, texts: dict[str, str], begun: set[str]) -> None:
    path = root / (name.replace(".", "/") + ".py")
    if name in texts or name in begun or name in _HOST_ONLY or not path.is_file():
        return
    begun.add(name)
    text = path.read_text("utf-8")
    for imported in _imported(ast.parse(text)):
        if imported.partition(".")[0] in PACKAGES:
            _collect(imported, root, texts, begun)
    texts[name] = text


def _imported(tree: ast.Module) -> Iterator[str]:
    """Modules that a file imports when it runs, wherever in it that stands."""
    typing_only = {id(node) for block in tree.body if _is_typing(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing_only:
            yield node.module


def _is_typing(statement: ast.stmt) -> bool:
    """Tell whether a statement is for type checkers alone."""
    if isinstance(statement, ast.If):
        return isinstance(statement.test, ast.Name) and statement.test.id == "TYPE_CHECKING"
    return (
        isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id == "TYPE_CHECKING"
    )


def joined(texts: Mapping[str, str]) -> str:
    """Return the text of one module that is all of these, without imports among themselves.

    Private names that two of them have are told apart; everything else keeps its name.

    Raises:
        NoProgram: two define the same public name, or an import gives another name.
    """
    owners: dict[str, str] = {}
    parts = []
    for name, text in texts.items():
        tree = ast.parse(text)
        renamed = {}
        for defined in _defined(tree):
            owner = owners.setdefault(defined, name)
            if owner != name:
                if not defined.startswith("_"):
                    raise NoProgram(f"{owner} and {name} both define {defined}")
                renamed[defined] = f"{defined}_{name.rpartition('.')[2]}"
        parts.append(edited(text, [*_cuts(tree, texts), *_renames(tree, renamed)]))
    return "".join(part.rstrip("\n") + "\n" for part in parts)


def used(text: str, entry: str) -> str:
    """Return a program without the functions, classes and values that it has no use for.

    Args:
        text: the program.
        entry: the text of the module whose names all stay.
    """
    tree = ast.parse(text)
    wanted = set(_defined(ast.parse(entry)))
    definitions: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        names = list(_defined_by(statement))
        for name in names:
            definitions.setdefault(name, []).append(statement)
        if not names:
            wanted |= _names(statement)
    todo = list(wanted)
    while todo:
        for statement in definitions.get(todo.pop(), []):
            new = _names(statement) - wanted
            wanted |= new
            todo += new
    cuts = []
    for statement in tree.body:
        names = list(_defined_by(statement))
        decorated = getattr(statement, "decorator_list", None)
        if names and wanted.isdisjoint(names) and not decorated:
            cuts.append((*place(statement), ""))
    return edited(text, cuts)


def _names(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _defined(tree: ast.Module) -> Iterator[str]:
    """Names that a module defines, whatever it imports."""
    for statement in tree.body:
        yield from _defined_by(statement)


def _defined_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, ast.Assign) and not _is_typing(statement):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id


def _cuts(tree: ast.Module, texts: Mapping[str, str]) -> Iterator[Edit]:
    """What a program of one file does without; within a block something has to stay."""
    tops = {id(statement) for statement in tree.body}
    typing_only = {id(node) for block in tree.body if _is_typing(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in typing_only and id(node) not in tops:
            continue
        if isinstance(node, ast.stmt) and _is_typing(node):
            yield (*place(node), "")
        elif isinstance(node, ast.ImportFrom) and node.module in texts:
            for alias in node.names:
                if alias.asname or f"{node.module}.{alias.name}" in texts:
                    raise NoProgram(f"{node.module} is imported as something else")
            yield (*place(node), "" if id(node) in tops else "pass")


def _renames(tree: ast.Module, renamed: Mapping[str, str]) -> Iterator[Edit]:
    if names_in_f_strings(tree) & set(renamed):
        raise NoProgram("a private name that two modules have stands in an f-string")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in renamed:
            yield (*place(node), renamed[node.id])
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in renamed:
            column = node.col_offset + len(
                "def " if isinstance(node, ast.FunctionDef) else "class "
            )
            end = column + len(node.name)
            yield node.lineno, column, node.lineno, end, renamed[node.name]


def names_in_f_strings(tree: ast.AST) -> set[str]:
    """Return the names in f-strings: before Python 3.12 nobody can tell where they stand."""
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = [node for string in strings for node in ast.walk(string)]
    return {node.id for node in inside if isinstance(node, ast.Name)}


def place(node: ast.expr | ast.stmt) -> tuple[int, int, int, int]:
    """Return where a node stands: first line and column, last line and column."""
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with some of its parts replaced; offsets are those of its UTF-8 bytes."""
    data = text.encode()
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for first, column, last, end_column, new in sorted(edits, reverse=True):
        start, end = starts[first - 1] + column, starts[last - 1] + end_column
        data = data[:start] + new.encode() + data[end:]
    return data.decode()
