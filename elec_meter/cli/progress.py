"""A bar for work that takes longer than a moment."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

_Step = TypeVar("_Step")


def counted(steps: Iterable[_Step], total: int, what: str) -> Iterator[_Step]:
    """The steps, with a bar on standard error if somebody looks at it.

    Args:
        steps: the work, done as they are taken.
        total: how many there will be.
        what: the work's name.
    """
    if not sys.stderr.isatty():
        yield from steps
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(steps, what, total=total, console=console, transient=True)
