"""Rule 3: sockets, files, threads and clocks belong to the edges; a core is given its time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.contracts.source import Finding, Source, words

EDGE_FOLDERS = words("ports bearers hal host storage addons panel estate demo cli")
EDGE_FILES = re.compile(
    r"/(sampling/(recorded|serial_afe)|metrology/caching|journal|keystore|private_file|serial_port|standard_output|telling|export|runtime|gathering|cli(_\w+)?|__main__)\.py$"
)

IO_MODULES = words(
    """
    asyncio bleak bluetooth bumble concurrent dbus fcntl fileinput ftplib glob gpiod http
    importlib io logging machine mmap multiprocessing os pathlib pickle platform
    requests sched secrets select selectors serial shelve shutil signal socket socketserver sqlite3
    ssl subprocess tempfile termios threading time tty urllib usb uuid zipfile
    """
)
CALLS = words("open print input breakpoint __import__")
METHODS = words(
    """
    read_text write_text read_bytes write_bytes fromfile tofile memmap loadtxt genfromtxt savetxt
    savez savez_compressed execute executemany executescript
    """
)
# Called or handed on, as a default factory is.
USES = words(
    """
    datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today
    sys.stdin sys.stdout sys.stderr
    """
)

# Same module-wide state, whoever draws from it: a core takes a seeded generator.
_SHARED_RANDOM = re.compile(r"random\.(?!Random$)[a-z]\w*|numpy\.random\.(?!default_rng$)[a-z]\w*")


def is_edge(source: Source) -> bool:
    """Whether a file may touch the world."""
    folders = set(source.path.split("/")[1:-1])
    return bool(folders & EDGE_FOLDERS or EDGE_FILES.search(source.path))


def effects(source: Source) -> Iterator[Finding]:
    """Imports and calls by which a core would do I/O, read a clock or draw from shared chance.

    Types of an edge, imported for annotations alone, are no effect.
    """
    if is_edge(source):
        return
    for imported in source.imports:
        module = imported.target.split(".")[0]
        if module == "importlib" and source.name == "shared.lazy":
            continue  # PEP 562: a package loads its own modules late
        if module in IO_MODULES and not imported.typing_only:
            yield source.finding(imported.line, f"a core imports {module}")
    for node in source.nodes:
        dotted = source.dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
        if dotted in USES:
            yield source.finding(node, f"a core uses {dotted}")
        if isinstance(node, ast.Call):
            yield from _call(source, node)


def _call(source: Source, node: ast.Call) -> Iterator[Finding]:
    called = source.dotted(node.func) or ""
    if called in CALLS or _SHARED_RANDOM.fullmatch(called):
        yield source.finding(node, f"a core calls {called}")
    elif isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
        yield source.finding(node, f"a core calls .{node.func.attr}()")
