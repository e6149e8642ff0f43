"""A slow, obvious reference of block tariffs: every unit is put into its block by itself."""

from __future__ import annotations

from collections.abc import Sequence


def split(bounds: Sequence[int], used: int, quantity: int) -> list[tuple[int, int]]:
    """The blocks, from 1, that get some of a quantity, and how much each gets."""
    parts = [0] * (len(bounds) + 1)
    for unit in range(used, used + quantity):
        block = 0
        for bound in bounds:
            if unit >= bound:
                block += 1
        parts[block] += 1
    return [(number, part) for number, part in enumerate(parts, start=1) if part]
