"""The Python that the firmware may use: what MicroPython runs on a board without floats.

`test_subset.py` tries what is refused here on the interpreter itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.contracts.source import Finding, Source, words

FOLDERS = ("shared/wire", "shared/crypto", "pulse_unit")
HOST_FILES = re.compile(
    r"(cli(_\w+|/.*)?|__main__|hal/linux(_\w+)?|crypto/backend_cryptography)(\.py)?$"
)

MODULES = words(
    """
    array asyncio binascii bluetooth collections cryptolib deflate errno esp32 gc hashlib heapq io
    json machine micropython os random select socket stm struct sys time uctypes
    """
)
OURS = ("shared.wire", "shared.crypto", "pulse_unit")
MISSING_NAMES = words(
    """
    ConnectionError DeprecationWarning FileNotFoundError PermissionError RuntimeWarning
    TimeoutError UserWarning Warning ascii breakpoint complex float format vars
    """
)
MISSING_ATTRIBUTES = words(
    """
    __cause__ __doc__ _asdict _replace add_note bit_count bit_length casefold cast isalnum isascii
    isdecimal iter_unpack ljust removeprefix removesuffix rjust title tobytes toreadonly zfill
    os.fsync os.replace random.Random time.monotonic time.monotonic_ns time.perf_counter
    collections.defaultdict collections.abc struct.Struct
    """
)
POSITIONAL_CALLS = words(
    """
    bytes decode deque encode from_bytes int namedtuple rsplit split sum to_bytes zip
    """
)

_STATEMENTS = {
    ast.Match: "match is unknown",
    ast.TryStar: "except* is unknown",
    ast.Div: "true division gives a float",
}
_SELF_DOCUMENTING = re.compile(r"\{[^{}:!]*[^=!<>{}:]=\s*(![rsa])?(:[^{}]*)?\}")


def is_firmware(source: Source) -> bool:
    """Whether a file must run on MicroPython."""
    return source.path.startswith(FOLDERS) and not HOST_FILES.search(source.path)


def outside_the_subset(source: Source) -> Iterator[Finding]:
    """Whatever in a firmware file MicroPython does not know or a board cannot do."""
    if not is_firmware(source):
        return
    if source.is_init and source.text.strip():
        yield source.finding(1, "a firmware __init__ stays empty: it costs RAM")
    for imported in source.imports:
        if not _is_known_module(imported.target):
            yield source.finding(imported.line, f"{imported.target} is not on MicroPython")
        if imported.target in MISSING_ATTRIBUTES:
            yield source.finding(imported.line, f"{imported.target} is missing")
    for node in source.nodes:
        for kind, reason in _STATEMENTS.items():
            if isinstance(node, kind) or isinstance(getattr(node, "op", None), kind):
                yield source.finding(node, reason)
        for check in _CHECKS:
            reason = check(source, node)
            if reason:
                yield source.finding(node, reason)


def _is_known_module(target: str) -> bool:
    return target.startswith(OURS) or target.partition(".")[0] in MODULES


def _signature(source: Source, node: ast.AST) -> str:
    if isinstance(node, ast.arguments) and node.posonlyargs:
        return "positional-only parameters are unknown"
    return ""


def _classes(source: Source, node: ast.AST) -> str:
    if isinstance(node, ast.ClassDef) and node.keywords:
        return "class keywords are unknown"
    if isinstance(node, ast.ClassDef) and len(node.bases) > 1:
        return "a class has one base: two exceptions as bases are a TypeError"
    return ""


def _literals(source: Source, node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
        return "a board has no exact floats"
    return ""


def _displays(source: Source, node: ast.AST) -> str:
    loaded = not isinstance(getattr(node, "ctx", None), ast.Store)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and loaded:
        unpacks = any(isinstance(element, ast.Starred) for element in node.elts)
    else:
        unpacks = isinstance(node, ast.Dict) and None in node.keys
    return "unpacking into a display is unknown" if unpacks else ""


def _names(source: Source, node: ast.AST) -> str:
    if isinstance(node, ast.Name) and node.id in MISSING_NAMES:
        return f"{node.id} is missing"
    if isinstance(node, ast.Attribute):
        dotted = source.dotted(node)
        if node.attr in MISSING_ATTRIBUTES or dotted in MISSING_ATTRIBUTES:
            return f"{node.attr} is missing"
    return ""


def _calls(source: Source, node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    called = ast.unparse(node.func).rpartition(".")[2]
    if called in POSITIONAL_CALLS and node.keywords:
        return f"{called} takes no keyword arguments"
    if called == "to_bytes" and len(node.args) != 2:
        return "to_bytes wants a length and a byte order, and knows no sign"
    if called == "__init__" and isinstance(getattr(node.func, "value", None), ast.Name):
        return "builtin classes have no __init__ to call: use super()"
    if called == "isinstance" and any(isinstance(argument, ast.BinOp) for argument in node.args):
        return "isinstance wants a tuple, not a union"
    return ""


def _slices(source: Source, node: ast.AST) -> str:
    if isinstance(node, ast.Slice) and node.step is not None:
        return "slices of bytes have no step"
    return ""


def _f_strings(source: Source, node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        text = ast.get_source_segment(source.text, node) or ""
        if _SELF_DOCUMENTING.search(text):
            return "f'{x=}' is not for a board"
    return ""


_CHECKS = (_signature, _classes, _literals, _displays, _names, _calls, _slices, _f_strings)
