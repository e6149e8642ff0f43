"""What differs between two documents, for people and for records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from shared.exact_json import exact_json

from .alignment import aligned
from .schema import MeterConfig
from .shape import Maybe, Plain, Rows, Shape, Table, plain, table_of, without_defaults

LONGEST_VALUE: Final = 200
"""Characters of a value in a sentence."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of two documents.

    Attributes:
        path: where, as in a refusal: `tariff.import.switches[1].at`. An element of a list with keys
            stands by its key, `tariff.import.days[weekend]`, any other by its index: in the old
            list where it was removed, otherwise in the new one.
        kind: whether the value changed, or is in one document alone.
        old: plain data, without defaults in tables; None for what was added.
        new: the same of the new document; None for what was removed.
    """

    path: str
    kind: Literal["changed", "added", "removed"]
    old: Plain
    new: Plain

    def __str__(self) -> str:
        if self.kind == "removed":
            return f"{self.path}: removed"
        if self.kind == "added":
            return f"{self.path}: added {_shown(self.new)}"
        return f"{self.path}: {_shown(self.old)} -> {_shown(self.new)}"


def differences(old: MeterConfig, new: MeterConfig) -> list[Difference]:
    """Everything in which two documents differ, in the order of the schema."""
    return list(_between("", table_of(), plain(old), plain(new)))


def _between(path: str, shape: Shape, old: Plain, new: Plain) -> Iterator[Difference]:
    if old == new:
        return
    match shape:
        case Table(fields=fields):
            for field in fields:
                inner = f"{path}.{field.name}" if path else field.name
                yield from _between(inner, field.shape, old[field.name], new[field.name])
        case Maybe(inner=inner_shape):
            if old is None:
                yield _added(path, inner_shape, new)
            elif new is None:
                yield _removed(path, inner_shape, old)
            else:
                yield from _between(path, inner_shape, old, new)
        case Rows(element=element):
            yield from _between_rows(path, element, old, new)
        case _:
            yield Difference(path, "changed", old, new)


def _between_rows(
    path: str, shape: Shape, old: list[Plain], new: list[Plain]
) -> Iterator[Difference]:
    for pair in aligned(shape, old, new):
        before = None if pair.old is None else _labelled(path, shape, old, pair.old)
        after = None if pair.new is None else _labelled(path, shape, new, pair.new)
        keyed = isinstance(shape, Table) and shape.key is not None
        if pair.old is not None and pair.new is not None and (before == after or not keyed):
            yield from _between(after or path, shape, old[pair.old], new[pair.new])
            continue
        if before is not None and pair.old is not None:
            yield _removed(before, shape, old[pair.old])
        if after is not None and pair.new is not None:
            yield _added(after, shape, new[pair.new])


def _labelled(path: str, shape: Shape, rows: list[Plain], index: int) -> str:
    if isinstance(shape, Table) and shape.key is not None:
        return f"{path}[{rows[index][shape.key]}]"
    return f"{path}[{index}]"


def _added(path: str, shape: Shape, new: Plain) -> Difference:
    return Difference(path, "added", None, without_defaults(shape, new))


def _removed(path: str, shape: Shape, old: Plain) -> Difference:
    return Difference(path, "removed", without_defaults(shape, old), None)


def _shown(value: Plain) -> str:
    text = exact_json(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
