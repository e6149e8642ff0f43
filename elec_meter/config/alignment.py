"""Which element of a list became which one of another."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

from .shape import Plain, Shape, Table


class Pair(NamedTuple):
    """Indexes of what is thought to be one element; None where it is in one list alone."""

    old: int | None
    new: int | None


def aligned(shape: Shape, old: Sequence[Plain], new: Sequence[Plain]) -> list[Pair]:
    """Every element of both lists once, in order.

    Elements of one key, or equal ones where there is no key, belong together; those between two
    such pairs are paired one by one.
    """
    matcher = SequenceMatcher(
        None,
        [_identity(shape, each) for each in old],
        [_identity(shape, each) for each in new],
        False,
    )
    pairs = []
    for _, first_old, end_old, first_new, end_new in matcher.get_opcodes():
        pairs += [
            Pair(*each)
            for each in zip_longest(range(first_old, end_old), range(first_new, end_new))
        ]
    return pairs


def _identity(shape: Shape, element: Plain) -> str:
    if isinstance(shape, Table) and shape.key is not None:
        return str(element[shape.key])
    return repr(element)
