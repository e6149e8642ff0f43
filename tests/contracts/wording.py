"""What may stand in names, in comments that silence a tool, and in text that is published."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from tests.contracts.source import Finding, Source, words

VAGUE = frozenset(
    f"{word}{ending}"
    for word in ("util", "helper", "manager", "handler", "processor", "packet")
    for ending in ("", "s")
)
PUBLISHED = words(
    """
    README.md CHANGELOG.md Makefile pyproject.toml .ci docs benchmarks fuzz tests
    shared pulse_unit collector elec_meter
    """
)
TEXT_SUFFIXES = frozenset(["", ".cfg", ".ini", ".json", ".md", ".py", ".sh", ".toml", ".txt"])

_SILENCED = re.compile(
    r"#\s*(?:ruff:\s*noqa|flake8:\s*noqa|noqa|type:\s*ignore|mypy:|pragma:\s*no cover|pylint:"
    r"|fmt:\s*(?:off|skip))",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(
    r"(?:ruff:\s*|flake8:\s*)?noqa(?::\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?"
    r"|type:\s*ignore(?:\[(?P<kinds>[a-z0-9, -]+)\])?"
    r"|mypy:\s*[\w=,-]+|pragma:\s*no cover|pylint:\s*[\w=,-]+|fmt:\s*(?:off|skip)",
    re.IGNORECASE,
)
# In parts, so that this file does not hold what it looks for.
_MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:work|tmp|home|root|Users)" + "/")
_PAGE = re.compile(r"(?:\.\./)*(?P<page>\w[\w./:-]*\.md)\b")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def silence_without_reason(source: Source) -> Iterator[Finding]:
    """Comments that silence a tool and do not say which rule, or why."""
    for line, comment in source.comments:
        if not _SILENCED.search(comment):
            continue
        directive = _DIRECTIVE.search(comment)
        named = directive is not None and (
            directive["codes"] or directive["kinds"] or "pragma" in directive[0]
        )
        if not named:
            yield source.finding(line, f"silences every rule: {comment}")
        reason = _DIRECTIVE.sub("", comment).strip("#-:;,. \u2013\u2014")
        if len(reason.split()) < 2:
            yield source.finding(line, f"gives no reason: {comment}")


def vague_names(source: Source) -> Iterator[Finding]:
    """Modules and classes whose name says nothing of what they are."""
    for part in source.name.split("."):
        if VAGUE & set(part.lower().split("_")):
            yield source.finding(1, f"the module name {part} says nothing")
    for node in source.nodes:
        if isinstance(node, ast.ClassDef):
            words = {word.lower() for word in _WORD.findall(node.name)}
            if VAGUE & words:
                yield source.finding(node, f"the class name {node.name} says nothing")


def machine_paths(path: str, text: str) -> Iterator[Finding]:
    """Paths of the machine on which something was written, which no other machine has."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _MACHINE_PATH.search(line):
            yield Finding(path, number, f"names a path of one machine: {line.strip()[:80]}")


def missing_pages(path: str, text: str, pages: Collection[str]) -> Iterator[Finding]:
    """Pages that are cited and that whoever reads the citation does not have.

    Args:
        path: where the text stands.
        text: what cites them.
        pages: paths of all that there are; the end of one is enough to name it.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        for cited in _PAGE.finditer(line):
            page = cited["page"]
            if "://" not in page and not any(f"/{each}".endswith(f"/{page}") for each in pages):
                yield Finding(path, number, f"cites {page}, which is not here")


def published_texts(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of every text file that is published with the product."""
    for name in sorted(PUBLISHED):
        start = root / name
        paths = sorted(start.rglob("*")) if start.is_dir() else [start]
        for path in paths:
            if "__pycache__" in path.parts or path.suffix not in TEXT_SUFFIXES:
                continue
            if path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text("utf-8", "replace")
