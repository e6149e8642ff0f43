"""A change of the configuration document in as few bytes as can be (docs/configuration.md).

Driven by the schema: both ends know names, types and defaults, so only numbers of fields and values
travel. Two checks guard it: one of the document that it is made for, one of the document that it
leads to. They find accidents; who may change a meter at all is for the levels of access to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from shared.wire.crc import crc_en13757

from .alignment import aligned
from .coding import (
    Reader,
    Writer,
    read_fields,
    read_option,
    read_value,
    write_fields,
    write_value,
)
from .errors import (
    ChangeBaseError,
    ChangeCorruptError,
    ChangeInvalidError,
    ChangeTruncatedError,
)
from .schema import MeterConfig
from .sentences import refusal
from .shape import Maybe, Plain, Rows, Scalar, Shape, Table, plain, table_of

MAX_CHANGE_BYTES: Final = 65_536
"""More than any document needs; a longer change is refused unread."""

_CHECK_BYTES: Final = 2

_NOTHING, _VALUE, _DELTA = 0, 1, 2  # what follows of something that may be None
_CHANGE, _REMOVE, _INSERT, _REPLACE = 0, 1, 2, 3  # steps from a list to another


class _Step(NamedTuple):
    """What happens to a list after some elements that stay.

    Attributes:
        kind: one of the four steps.
        kept: how many elements stay before it.
        old: indexes of what it takes from the old list.
        new: indexes of what it gives to the new list.
    """

    kind: int
    kept: int
    old: tuple[int, ...]
    new: tuple[int, ...]


def encode_change(old: MeterConfig, new: MeterConfig) -> bytes:
    """The change that leads from one document to another: 5 bytes where they are equal."""
    before, after = plain(old), plain(new)
    out = Writer()
    out.raw(_check(before))
    _write_delta(out, table_of(), before, after)
    out.raw(_check(after))
    return bytes(out)


def apply_change(old: MeterConfig, change: bytes) -> MeterConfig:
    """The document that a change leads to; the old one stays as it is.

    Raises:
        ChangeBaseError: it was made for another document.
        ChangeTruncatedError: its end is missing.
        ChangeCorruptError: it is damaged, or was no change.
        ChangeInvalidError: it leads to a document that is refused.
    """
    if len(change) > MAX_CHANGE_BYTES:
        raise ChangeCorruptError(f"a change has at most {MAX_CHANGE_BYTES} bytes")
    before, source = plain(old), Reader(change)
    if source.raw(_CHECK_BYTES) != _check(before):
        raise ChangeBaseError("the change was made for another document")
    after = _read_delta(source, table_of(), before)
    if source.left < _CHECK_BYTES:
        raise ChangeTruncatedError("the change ends before it is complete")
    if source.left > _CHECK_BYTES:
        raise ChangeCorruptError("the change goes on after its end")
    try:
        new = msgspec.convert(after, MeterConfig)
    except msgspec.ValidationError as error:
        raise ChangeInvalidError(refusal("the changed document", error)) from None
    if source.raw(_CHECK_BYTES) != _check(plain(new)):
        raise ChangeCorruptError("the change does not lead where its sender meant it to")
    return new


def encode_document(config: MeterConfig) -> bytes:
    """A whole document: the change that makes it of the document in which nothing is said."""
    return encode_change(MeterConfig(), config)


def decode_document(octets: bytes) -> MeterConfig:
    """What `encode_document` wrote; errors as for `apply_change`."""
    return apply_change(MeterConfig(), octets)


def document_check(config: MeterConfig) -> int:
    """The check of a document: 16 bits by which a head end knows what a change must start from."""
    return int.from_bytes(_check(plain(config)), "big")


def _check(document: Plain) -> bytes:
    """Two bytes that tell documents apart; defaults do not count, so that later fields may come."""
    out = Writer()
    write_value(out, table_of(), document)
    return crc_en13757(bytes(out)).to_bytes(_CHECK_BYTES, "big")


def _write_delta(out: Writer, shape: Shape, old: Plain, new: Plain) -> None:
    match shape:
        case Scalar():
            write_value(out, shape, new)
        case Maybe(inner=inner):
            if new is None:
                out.count(_NOTHING)
            elif old is None:
                out.count(_VALUE)
                write_value(out, inner, new)
            else:
                out.count(_DELTA)
                _write_delta(out, inner, old, new)
        case Table(fields=fields):
            changed = [field for field in fields if old[field.name] != new[field.name]]
            for field in write_fields(out, changed):
                _write_delta(out, field.shape, old[field.name], new[field.name])
        case Rows(element=element):
            replaced, edited = out.fork(), out.fork()
            replaced.count(len(new) << 3 | 4 | _REPLACE)
            for each in new:
                write_value(replaced, element, each)
            _write_steps(edited, element, old, new)
            out.take_over(min(edited, replaced, key=len))


def _write_steps(out: Writer, shape: Shape, old: list[Plain], new: list[Plain]) -> None:
    steps = _steps(shape, old, new)
    for step in steps:
        out.count(step.kept << 3 | (step is steps[-1]) << 2 | step.kind)
        if step.kind == _CHANGE:
            _write_delta(out, shape, old[step.old[0]], new[step.new[0]])
            continue
        out.count(len(step.old) or len(step.new))
        for index in step.new:
            write_value(out, shape, new[index])


def _steps(shape: Shape, old: list[Plain], new: list[Plain]) -> Sequence[_Step]:
    steps: list[_Step] = []
    kept = 0
    for before, after in aligned(shape, old, new):
        if before is not None and after is not None:
            if old[before] == new[after]:
                kept += 1
                continue
            step = _Step(_CHANGE, kept, (before,), (after,))
        elif before is not None:
            step = _Step(_REMOVE, kept, (before,), ())
        else:
            assert after is not None  # a pair has one side at least
            step = _Step(_INSERT, kept, (), (after,))
        last = steps[-1] if steps else None
        if last is not None and not kept and last.kind == step.kind != _CHANGE:
            steps[-1] = last._replace(old=last.old + step.old, new=last.new + step.new)
        else:
            steps.append(step)
        kept = 0
    return steps


def _read_delta(source: Reader, shape: Shape, old: Plain) -> Plain:
    match shape:
        case Scalar():
            return read_value(source, shape)
        case Maybe(inner=inner):
            option = read_option(source, _DELTA)
            if option == _NOTHING:
                return None
            if option == _VALUE:
                return read_value(source, inner)
            if old is None:
                raise ChangeCorruptError("the change alters what is not there")
            return _read_delta(source, inner, old)
        case Table():
            new = dict(old)
            for field in read_fields(source, shape):
                new[field.name] = _read_delta(source, field.shape, old[field.name])
            return new
        case Rows(element=element):
            return _read_steps(source, element, old)


def _read_steps(source: Reader, shape: Shape, old: list[Plain]) -> list[Plain]:
    new: list[Plain] = []
    at, is_last = 0, False
    while not is_last:
        tag = source.count()
        kind, is_last, kept = tag & 3, bool(tag & 4), tag >> 3
        if kind == _REPLACE:
            if new or at or not is_last:
                raise ChangeCorruptError("the change replaces a list that it has begun to edit")
            if kept > source.left:
                raise ChangeTruncatedError("the change ends before it is complete")
            return [read_value(source, shape) for _ in range(kept)]
        taken = 1 if kind == _CHANGE else source.length() if kind == _INSERT else source.count()
        if at + kept + (0 if kind == _INSERT else taken) > len(old):
            raise ChangeCorruptError("the change reaches beyond the end of a list")
        new += old[at : at + kept]
        at += kept
        if kind == _INSERT:
            new += [read_value(source, shape) for _ in range(taken)]
            continue
        if kind == _CHANGE:
            new.append(_read_delta(source, shape, old[at]))
        at += taken
    return new + old[at:]
