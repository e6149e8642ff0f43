"""The columns of rows that do not all have the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def columns_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """All keys of the rows; one that not every row has stands behind what it follows in its own."""
    columns: list[str] = []
    known: set[str] = set()
    for row in rows:
        if row.keys() <= known:
            continue
        place = 0
        for key in row:
            if key in known:
                place = columns.index(key) + 1
            else:
                columns.insert(place, key)
                known.add(key)
                place += 1
    return columns
