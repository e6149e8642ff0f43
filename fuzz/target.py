"""What a target is: it starts fresh, takes bytes, and may only raise its own refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Feed: TypeAlias = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Target:
    """One reader of foreign bytes.

    Attributes:
        name: as on the command line.
        start: makes a fresh reader and valid inputs to damage.
        refusals: what it may raise.
        count: how many inputs it is fed unless told otherwise.
        seconds: the longest time for them.
    """

    name: str
    start: Callable[[], tuple[Feed, Sequence[bytes]]]
    refusals: tuple[type[Exception], ...] = ()
    count: int = 20_000
    seconds: float = 9.0
