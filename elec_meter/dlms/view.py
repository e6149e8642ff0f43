"""The meter's logical device as one association sees it: what it reads, changes and invokes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeAlias

from elec_meter.dlms.action import ActionOutcome
from elec_meter.dlms.data import CosemData
from elec_meter.dlms.get import GetResult
from elec_meter.dlms.policy import Level, is_readable
from elec_meter.dlms.profiles import buffer
from elec_meter.dlms.rendering import attributes_of, render, version_of
from elec_meter.dlms.selection import row_selection
from elec_meter.dlms.services import (
    AccessResult,
    ActionResult,
    Attribute,
    Member,
    RefusedError,
    Selection,
)
from elec_meter.objects import (
    CosemObject,
    Directory,
    NoSuchAttributeError,
    ProfileGeneric,
    UnknownObjectError,
)
from shared.obis import Obis

_NAME, _BUFFER = 1, 2
_MAKERS_FIRST, _BYTE = 128, 256

Invoke: TypeAlias = Callable[[CosemData | None], ActionOutcome]
"""Carries out a method with its parameters."""


class AccessMode(IntEnum):
    """What an association may do with an attribute (IEC 62056-6-2, 4.4.4.2.1).

    What the client has to authenticate it authenticates all of: no mode says so once more.
    """

    NONE = 0
    READ = 1
    WRITE = 2
    READ_WRITE = 3


@dataclass(frozen=True, slots=True)
class OwnObject:
    """An object that DLMS itself has: of the association, or another view of the directory.

    Attributes:
        class_id: its interface class.
        readers: attribute number to what encodes it, without attribute 1.
        methods: number of a method to what carries it out; None for one that is not there now.
        buffer: encodes attribute 2 where a part of it can be selected.
    """

    class_id: int
    readers: Mapping[int, Callable[[], bytes]]
    methods: Mapping[int, Invoke | None] = field(default_factory=dict)
    buffer: Callable[[Selection | None], bytes] | None = None

    @property
    def attributes(self) -> tuple[int, ...]:
        """The numbers that can be read."""
        return tuple(sorted({_NAME, *self.readers, *([_BUFFER] if self.buffer else [])}))


class Listed(NamedTuple):
    """An object as the list of objects has it.

    Attributes:
        class_id: its interface class.
        version: of the class.
        obis: the logical name.
        attributes: every attribute that it has, and what may be done with it.
        methods: every method that it has, and whether it may be invoked; a maker's are negative.
    """

    class_id: int
    version: int
    obis: Obis
    attributes: tuple[tuple[int, AccessMode], ...]
    methods: tuple[tuple[int, bool], ...]


class Changes(Protocol):
    """What changes attributes and invokes methods of the directory's objects."""

    def writable(self, level: Level, each: CosemObject) -> Collection[int]:
        """The attributes of an object that somebody of a level may write."""

    def invocable(self, level: Level, each: CosemObject) -> Collection[int]:
        """The methods of an object that somebody of a level may invoke."""

    def write(self, level: Level, member: Member, value: CosemData) -> AccessResult:
        """Change an attribute whole, or not at all."""

    def invoke(self, level: Level, member: Member, value: CosemData | None) -> ActionOutcome:
        """Invoke a method whole, or not at all."""


class NoChanges:
    """Nothing can be changed."""

    def writable(self, level: Level, each: CosemObject) -> Collection[int]:  # noqa: ARG002 - as the protocol has it
        """None."""
        return ()

    def invocable(self, level: Level, each: CosemObject) -> Collection[int]:  # noqa: ARG002 - as the protocol has it
        """None."""
        return ()

    def write(self, level: Level, member: Member, value: CosemData) -> AccessResult:  # noqa: ARG002 - as the protocol has it
        """Never."""
        return AccessResult.READ_WRITE_DENIED

    def invoke(self, level: Level, member: Member, value: CosemData | None) -> ActionOutcome:  # noqa: ARG002 - as the protocol has it
        """Never."""
        return ActionOutcome(ActionResult.READ_WRITE_DENIED)


class View:
    """Reads, changes and invokes on behalf of a level.

    Args:
        directory: where the objects are.
        own: what DLMS has beside them, by logical name.
        level: whose view it is.
        changes: what changes anything.
    """

    def __init__(
        self, directory: Directory, own: Mapping[Obis, OwnObject], level: Level, changes: Changes
    ) -> None:
        self._directory = directory
        self._own = own
        self._level = level
        self._changes = changes

    def now(self) -> datetime:
        """The instant at which values are read: the host's UTC, as the meter is told it."""
        return self._directory.now()

    def read(self, attribute: Attribute, now: datetime) -> GetResult:
        """An attribute, encoded, or why it is not given."""
        (class_id, obis, number), selection = attribute
        try:
            found = self._find(class_id, obis)
            if not is_readable(self._level, obis, class_id, number):
                return AccessResult.READ_WRITE_DENIED
            if isinstance(found, OwnObject):
                return self._read_own(obis, found, number, selection)
            return self._read(found, number, selection, now)
        except RefusedError as refused:
            return refused.result
        except NoSuchAttributeError:
            return AccessResult.OBJECT_UNAVAILABLE

    def write(self, attribute: Attribute, value: CosemData) -> AccessResult:
        """Change an attribute; how that ended."""
        (class_id, obis, _), selection = attribute
        try:
            found = self._find(class_id, obis)
        except RefusedError as refused:
            return refused.result
        if isinstance(found, OwnObject) or selection is not None:
            return AccessResult.READ_WRITE_DENIED
        return self._changes.write(self._level, attribute.member, value)

    def invoke(self, member: Member, value: CosemData | None) -> ActionOutcome:
        """Invoke a method; how that ended."""
        try:
            found = self._find(member.class_id, member.obis)
        except RefusedError as refused:
            return ActionOutcome(ActionResult(refused.result))
        if not isinstance(found, OwnObject):
            return self._changes.invoke(self._level, member, value)
        invoke = found.methods.get(member.number)
        return ActionOutcome(ActionResult.READ_WRITE_DENIED) if invoke is None else invoke(value)

    def objects(self) -> Iterator[Listed]:
        """Every object of which something can be read beside its name."""
        for obis, own in self._own.items():
            methods = tuple((number, invoke is not None) for number, invoke in own.methods.items())
            yield from self._listed(
                own.class_id, obis, dict.fromkeys(own.attributes, False), methods
            )
        for each in self._directory:
            if each.obis in self._own:
                continue
            writable = self._changes.writable(self._level, each)
            invocable = self._changes.invocable(self._level, each)
            attributes = sorted({*attributes_of(each), *each.writable})
            yield from self._listed(
                each.class_id,
                each.obis,
                {number: number in writable for number in attributes},
                tuple((_signed(number), number in invocable) for number in each.methods),
            )

    def _listed(
        self,
        class_id: int,
        obis: Obis,
        attributes: Mapping[int, bool],
        methods: tuple[tuple[int, bool], ...],
    ) -> Iterator[Listed]:
        """An object, of whose attributes it is known whether they can be written."""
        modes = tuple(
            (
                number,
                AccessMode(
                    AccessMode.READ * is_readable(self._level, obis, class_id, number)
                    + AccessMode.WRITE * is_writable
                ),
            )
            for number, is_writable in attributes.items()
        )
        if any(mode for number, mode in modes if number != _NAME):
            yield Listed(class_id, version_of(class_id), obis, modes, methods)

    def _find(self, class_id: int, obis: Obis) -> CosemObject | OwnObject:
        found: CosemObject | OwnObject | None = self._own.get(obis)
        if found is None:
            try:
                found = self._directory[obis]
            except UnknownObjectError:
                raise RefusedError(AccessResult.OBJECT_UNDEFINED) from None
        if found.class_id != class_id:
            raise RefusedError(AccessResult.OBJECT_CLASS_INCONSISTENT)
        return found

    def _read_own(
        self, obis: Obis, own: OwnObject, number: int, selection: Selection | None
    ) -> GetResult:
        if own.buffer is not None and number == _BUFFER:
            return own.buffer(selection)
        if selection is not None:
            return AccessResult.SCOPE_OF_ACCESS_VIOLATED
        if number == _NAME:
            return b"\x09\x06" + obis.to_bytes()
        if number not in own.readers:
            return AccessResult.OBJECT_UNAVAILABLE
        return own.readers[number]()

    def _read(
        self, each: CosemObject, number: int, selection: Selection | None, now: datetime
    ) -> GetResult:
        if isinstance(each, ProfileGeneric) and number == _BUFFER:
            return buffer(each, self._directory, row_selection(selection, each.columns))
        if selection is not None:
            return AccessResult.SCOPE_OF_ACCESS_VIOLATED
        return render(each, number, now)


def _signed(method: int) -> int:
    return method if method < _MAKERS_FIRST else method - _BYTE
