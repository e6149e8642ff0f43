"""SET and ACTION on the directory: values made of COSEM data, and results made of refusals."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final, TypeAlias

from elec_meter.access import Level
from elec_meter.dlms.action import ActionOutcome
from elec_meter.dlms.data import CosemData
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.instants import decode_date_time, is_unspecified
from elec_meter.dlms.services import AccessResult, ActionResult, Member
from elec_meter.dlms.tags import Tag
from elec_meter.dlms.timetables import rows_of
from elec_meter.errors import CheckpointFailedError, MeterError, NotAllowedError
from elec_meter.objects import (
    Actions,
    CosemObject,
    Directory,
    Form,
    Given,
    NoSuchAttributeError,
    NoSuchEntryError,
    NoSuchMethodError,
    NotWritableError,
    Parts,
    Rows,
    UnknownObjectError,
    ValueNotTakenError,
)
from shared.errors import SharedError
from shared.timegrid import from_unix_s

ActionsOf: TypeAlias = Callable[[Level], Actions]
"""Makes what carries out the orders of somebody at a level."""

_RESULTS: Final[tuple[tuple[type[MeterError], AccessResult], ...]] = (
    (UnknownObjectError, AccessResult.OBJECT_UNDEFINED),
    (NoSuchAttributeError, AccessResult.OBJECT_UNAVAILABLE),
    (NoSuchMethodError, AccessResult.OBJECT_UNAVAILABLE),
    (NotWritableError, AccessResult.READ_WRITE_DENIED),
    (NotAllowedError, AccessResult.READ_WRITE_DENIED),
    (NoSuchEntryError, AccessResult.OTHER_REASON),
    (ValueNotTakenError, AccessResult.TYPE_UNMATCHED),
    (CheckpointFailedError, AccessResult.TEMPORARY_FAILURE),
)
_OTHER: Final = AccessResult.OTHER_REASON


class DirectoryChanges:
    """Changes what the objects of a directory let be changed.

    Args:
        directory: where they are.
        actions: where everything that is written ends, by level.
    """

    def __init__(self, directory: Directory, actions: ActionsOf) -> None:
        self._directory = directory
        self._actions = actions

    def writable(self, level: Level, each: CosemObject) -> Collection[int]:
        """The attributes of an object that somebody of a level may write."""
        return [number for number in each.writable if level >= each.entry(number).level]

    def invocable(self, level: Level, each: CosemObject) -> Collection[int]:
        """The methods of an object that somebody of a level may invoke."""
        entries = {number: each.method(number) for number in each.methods}
        return [
            number
            for number, entry in entries.items()
            if level >= entry.level and not entry.is_closed
        ]

    def write(self, level: Level, member: Member, value: CosemData) -> AccessResult:
        """Change an attribute whole, or not at all."""
        try:
            each = self._directory[member.obis]
            entry, actions = each.entry(member.number), self._actions(level)
            actions.require(entry.level, f"write attribute {member.number} of {member.obis}")
            each.write(member.number, given_of(entry.form, value), actions)
        except MeterError as error:
            return _result(error)
        return AccessResult.SUCCESS

    def invoke(self, level: Level, member: Member, value: CosemData | None) -> ActionOutcome:
        """Invoke a method whole, or not at all; a maker's own have negative numbers here."""
        number = member.number % 256
        try:
            each = self._directory[member.obis]
            entry, actions = each.method(number), self._actions(level)
            actions.require(entry.level, f"invoke method {member.number} of {member.obis}")
            each.invoke(number, given_of(entry.form, value or CosemData(Tag.NULL)), actions)
        except MeterError as error:
            return ActionOutcome(ActionResult(_result(error)))
        return ActionOutcome(ActionResult.SUCCESS)


def given_of(form: Form, data: CosemData) -> Given:
    """A value of the form that an entry takes.

    Raises:
        ValueNotTakenError: the data cannot be one.
    """
    tag, value = data
    if form is Form.MOMENT and isinstance(value, bytes) and is_unspecified(value):
        return None
    found: Given | None = None
    match form:
        case Form.NUMBER if isinstance(value, int) and tag is not Tag.BOOLEAN:
            found = value
        case Form.TIME | Form.MOMENT:
            found = _instant(data)
        case Form.TEXT if isinstance(value, bytes) and tag is Tag.OCTETS:
            found = _text(value)
        case Form.TEXT if isinstance(value, str) and tag is not Tag.BIT_STRING:
            found = value
        case Form.PARTS:
            found = _parts(data)
        case Form.DOCUMENT if isinstance(value, str) and tag is not Tag.BIT_STRING:
            found = value
        case Form.OCTETS | Form.DOCUMENT if isinstance(value, bytes) and tag is Tag.OCTETS:
            found = value
        case _:
            found = _rows(form, data)
    if found is None:
        raise ValueNotTakenError(f"a {tag.name} is not {form.value}")
    return found


def _instant(data: CosemData) -> datetime | None:
    tag, value = data
    try:
        if isinstance(value, bytes) and tag in (Tag.OCTETS, Tag.DATE_TIME):
            return decode_date_time(value)
        if isinstance(value, int) and tag is Tag.UINT32:
            return from_unix_s(value)
    except (MalformedError, SharedError):
        pass
    return None


def _rows(form: Form, data: CosemData) -> Rows | None:
    try:
        return rows_of(form, data)
    except MalformedError:
        return None


def _parts(data: CosemData) -> Parts | str | None:
    """Parts as they are, and a text as a text; None for parts of which one is neither."""
    tag, value = data
    if isinstance(value, tuple):
        parts = tuple(map(_part, value))
        known = tuple(each for each in parts if each is not None)
        return Parts(known) if len(known) == len(parts) else None
    if isinstance(value, bytes) and tag is Tag.OCTETS:
        return _text(value)
    return value if isinstance(value, str) and tag is not Tag.BIT_STRING else None


def _part(data: CosemData) -> int | str | bytes | Parts | None:
    value = data.value
    if isinstance(value, tuple):
        return _parts(data)
    return value if isinstance(value, (int, bytes, str)) else None


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _result(error: MeterError) -> AccessResult:
    return next((result for kind, result in _RESULTS if isinstance(error, kind)), _OTHER)
