"""Rows of a damaged database, read from its pages as far as each of them still makes sense.

SQLite itself gives up at the first page that it cannot follow. Here a page or a cell that makes no
sense is counted and left out, and everything else is read (www.sqlite.org/fileformat2.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from elec_meter.errors import RepairError

Value: TypeAlias = int | str | bytes | None

_INDEX_INTERIOR: Final = 2
_TABLE_INTERIOR: Final = 5
_INDEX_LEAF: Final = 10
_TABLE_LEAF: Final = 13
_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)
_FLOAT: Final = 7
_ZERO: Final = 8
_ONE: Final = 9
_VARINT_BYTES: Final = 9
_SCHEMA_ROOT: Final = 1


class _UnreadableError(Exception):
    """A page or a cell makes no sense."""


@dataclass(slots=True)
class Salvage:
    """What was read of a table.

    Attributes:
        rows: the record of each, with the row number before it (None in a table without).
        unreadable: pages and cells that make no sense.
    """

    rows: list[tuple[int | None, list[Value]]] = field(default_factory=list)
    unreadable: int = 0


class Root(NamedTuple):
    """Where a table begins.

    Attributes:
        page: the number of its first page.
        statements: that made it and its indexes, in this order.
    """

    page: int
    statements: list[str]


class Pages:
    """The pages of a database file that has no log beside it.

    Args:
        content: the file.

    Raises:
        RepairError: its header makes no sense.
    """

    def __init__(self, content: bytes) -> None:
        size = int.from_bytes(content[16:18])
        self._size = 65_536 if size == 1 else size
        if len(content) < 512 or self._size < 512 or self._size & (self._size - 1):
            raise RepairError("the database's header cannot be read")
        self._content = content
        self._usable = self._size - content[20]
        self._count = -(-len(content) // self._size)
        self._reached: set[int] = set()

    def roots(self) -> dict[str, Root]:
        """Where every table begins, by its name; indexes count as read.

        Raises:
            RepairError: the list of tables cannot be read.
        """
        schema = self.table(_SCHEMA_ROOT)
        found: dict[str, Root] = {}
        indexes: list[tuple[str, int, str | None]] = []
        for _, row in schema.rows:
            match row:
                case ["table", str(name), _, int(page), str(statement)]:
                    found[name] = Root(page, [statement])
                case ["index", _, str(name), int(page), statement]:
                    indexes.append((name, page, statement if isinstance(statement, str) else None))
        if not found or schema.unreadable:
            raise RepairError("the list of its tables cannot be read")
        for name, page, statement in indexes:
            self.table(page)
            if statement is not None and name in found:
                found[name].statements.append(statement)
        return found

    def orphans(self) -> list[Salvage]:
        """Pages of rows that no table led to, after all of them were read.

        They belong to a table that lost the page above them.
        """
        free = self._free()
        found = []
        for number in range(2, self._count + 1):
            if number in self._reached or number in free:
                continue
            begin = (number - 1) * self._size
            if self._content[begin : begin + 1] == bytes([_TABLE_LEAF]):
                salvage = self.table(number)
                if salvage.rows:
                    found.append(salvage)
        return found

    def _free(self) -> set[int]:
        """Pages that are in no table, and still hold what they held."""
        free: set[int] = set()
        trunk = int.from_bytes(self._content[32:36])
        while trunk not in free:
            try:
                page = self._page(trunk)
            except _UnreadableError:
                break
            free.add(trunk)
            leaves = min(int.from_bytes(page[4:8]), self._size // 4 - 2)
            free |= {int.from_bytes(page[8 + 4 * nth : 12 + 4 * nth]) for nth in range(leaves)}
            trunk = int.from_bytes(page[:4])
        return free

    def table(self, root: int) -> Salvage:
        """What can be read of the table that begins on a page."""
        salvage = Salvage()
        seen: set[int] = set()
        waiting = [root]
        while waiting:
            number = waiting.pop()
            if number in seen:
                salvage.unreadable += 1
                continue
            seen.add(number)
            self._reached.add(number)
            try:
                page = _Page(self._page(number), 100 if number == _SCHEMA_ROOT else 0)
            except _UnreadableError:
                salvage.unreadable += 1
                continue
            if page.right is not None:
                waiting.append(page.right)
            for place in page.cells():
                self._read_cell(page, place, salvage, waiting)
        return salvage

    def _read_cell(self, page: _Page, place: int, salvage: Salvage, waiting: list[int]) -> None:
        data = page.data
        try:
            if page.right is not None:
                if place + 4 > len(data):
                    raise _UnreadableError
                waiting.append(int.from_bytes(data[place : place + 4]))
                place += 4
            if page.kind == _TABLE_INTERIOR:
                return
            size, place = _varint(data, place)
            number = None
            if page.kind == _TABLE_LEAF:
                number, place = _varint(data, place)
                number -= (number >> 63) << 64
            payload = self._payload(data, place, size, is_index=page.kind != _TABLE_LEAF)
            salvage.rows.append((number, _record(payload)))
        except _UnreadableError:
            salvage.unreadable += 1

    def _payload(self, data: bytes, place: int, size: int, *, is_index: bool) -> bytes:
        usable = self._usable
        if size > len(self._content):
            raise _UnreadableError
        most = (usable - 12) * 64 // 255 - 23 if is_index else usable - 35
        if size <= most:
            return _cut(data, place, size)
        least = (usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (usable - 4)
        here = here if here <= most else least
        parts, left = [_cut(data, place, here)], size - here
        following = int.from_bytes(_cut(data, place + here, 4))
        while left > 0:
            page = self._page(following)
            following = int.from_bytes(page[:4])
            parts.append(_cut(page, 4, min(left, usable - 4)))
            left -= usable - 4
        return b"".join(parts)

    def _page(self, number: int) -> bytes:
        if not 1 <= number <= self._count:
            raise _UnreadableError
        page = self._content[(number - 1) * self._size : number * self._size]
        if len(page) < self._size:
            raise _UnreadableError
        return page


class _Page:
    """A page of a tree: where its cells are, and the page that follows them all."""

    def __init__(self, data: bytes, begin: int) -> None:
        self.data = data
        self.kind = data[begin]
        if self.kind not in (_INDEX_INTERIOR, _TABLE_INTERIOR, _INDEX_LEAF, _TABLE_LEAF):
            raise _UnreadableError
        is_interior = self.kind in (_INDEX_INTERIOR, _TABLE_INTERIOR)
        self._first = begin + (12 if is_interior else 8)
        self._count = int.from_bytes(data[begin + 3 : begin + 5])
        if self._first + 2 * self._count > len(data):
            raise _UnreadableError
        self.right = int.from_bytes(data[begin + 8 : begin + 12]) if is_interior else None

    def cells(self) -> Iterator[int]:
        """Where each begins."""
        for number in range(self._count):
            place = self._first + 2 * number
            yield int.from_bytes(self.data[place : place + 2])


def _cut(data: bytes, place: int, size: int) -> bytes:
    part = data[place : place + size]
    if len(part) < size:
        raise _UnreadableError
    return part


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for nth in range(_VARINT_BYTES):
        if place >= len(data):
            raise _UnreadableError
        byte = data[place]
        place += 1
        if nth == _VARINT_BYTES - 1:
            return value << 8 | byte, place
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, place


def _record(payload: bytes) -> list[Value]:
    header_size, place = _varint(payload, 0)
    if header_size > len(payload):
        raise _UnreadableError
    values: list[Value] = []
    body = header_size
    while place < header_size:
        kind, place = _varint(payload, place)
        value, body = _value(payload, body, kind)
        values.append(value)
    if body != len(payload):
        raise _UnreadableError
    return values


def _value(payload: bytes, place: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, place
    if kind in (_ZERO, _ONE):
        return kind - _ZERO, place
    if kind == _FLOAT or kind in (10, 11):
        raise _UnreadableError  # no table of ours has a float, and the others are reserved
    if kind < len(_INTEGER_BYTES):
        size = _INTEGER_BYTES[kind]
        return int.from_bytes(_cut(payload, place, size), signed=True), place + size
    size = (kind - 12) // 2
    content = _cut(payload, place, size)
    if kind % 2 == 0:
        return content, place + size
    try:
        return content.decode(), place + size
    except UnicodeDecodeError:
        raise _UnreadableError from None
