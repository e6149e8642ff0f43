"""COSEM class 40: what is sent to whom unasked (IEC 62056-6-2, 4.4.8)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import ClassVar, Final, NamedTuple

from elec_meter.access import level_to_change
from elec_meter.config import MeterConfig, PushConfig, part_from_json, part_to_json
from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.objects.classes.entry import Actions, Entry, Form, Given, Parts, number_entry
from elec_meter.objects.classes.errors import ValueNotTakenError
from shared.obis import Obis

PUSH_SETUP: Final = "0-0:25.9.0"
PUSHED_ROWS: Final = Obis.parse("1-0:99.1.0")
"""The one profile whose rows are pushed."""

_PART: Final = "push"
_OBJECTS, _DESTINATION, _RETRIES, _DELAY = 2, 3, 6, 7
_PUSH: Final = 1


class PushMember(NamedTuple):
    """An attribute that is told; data index 0 is the whole of it."""

    class_id: int
    obis: Obis
    attribute: int
    data_index: int = 0


class TransportService(IntEnum):
    """How notifications travel; TCP is the one of ours."""

    TCP = 0


class MessageType(IntEnum):
    """What they are written in; A-XDR encoded xDLMS APDUs are the one of ours."""

    XDLMS = 0


class SendDestination(NamedTuple):
    """Attribute 3: to whom, and how."""

    transport: TransportService
    destination: bytes
    message: MessageType


class PushSetup(CosemObject):
    """The push setup; its value is the destination, empty for nobody.

    Args:
        config: the configuration in force.
        now: the host's UTC for reads without an instant.
        known: the objects that may be told, by name.
    """

    class_id: ClassVar[int] = 40
    value_attribute: ClassVar[int] = _DESTINATION

    def __init__(self, config: MeterConfig, now: Now, known: Mapping[Obis, CosemObject]) -> None:
        super().__init__(PUSH_SETUP, "Push setup", now)
        self._config = config
        self._known = {**known, self.obis: self}

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; of what is told, JSON."""
        if attribute == _DESTINATION:
            return self._push.destination
        if attribute == _OBJECTS:
            return json.dumps(self._part()["objects"], separators=(",", ":"))
        return super().present(attribute, now)

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        push = self._push
        destination = SendDestination(
            TransportService.TCP, push.destination.encode(), MessageType.XDLMS
        )
        return {
            _OBJECTS: lambda _: self._members(),
            _DESTINATION: lambda _: destination,
            4: lambda _: (),  # at any time
            5: lambda _: 0,
            _RETRIES: lambda _: push.retries,
            _DELAY: lambda _: push.delay_s,
        }

    def _writers(self) -> Mapping[int, Entry]:
        level = level_to_change(_PART)
        return {
            _OBJECTS: Entry(Form.PARTS, self._take_objects, level),
            _DESTINATION: Entry(Form.PARTS, self._take_destination, level),
            _RETRIES: number_entry(lambda actions, n: self._change(actions, retries=n), level),
            _DELAY: number_entry(self._take_delay, level),
        }

    def _methods(self) -> Mapping[int, Entry]:
        return {_PUSH: number_entry(lambda actions, _: actions.push_now())}

    @property
    def _push(self) -> PushConfig:
        return self._config.push

    def _members(self) -> tuple[PushMember, ...]:
        named = [(Obis.parse(each.object), each.attribute) for each in self._push.objects]
        return tuple(PushMember(self._known[obis].class_id, obis, number) for obis, number in named)

    def _take_objects(self, value: Given, actions: Actions) -> None:
        if isinstance(value, str):
            try:
                objects = json.loads(value)
            except ValueError:
                raise ValueNotTakenError("this takes JSON or an array of structures") from None
        elif isinstance(value, Parts):
            objects = [self._told(each) for each in value.parts]
        else:
            raise ValueNotTakenError("this takes JSON or an array of structures")
        self._change(actions, objects=objects)

    def _told(self, member: object) -> dict[str, object]:
        """What a structure names; the class must be the object's, and the index 0."""
        match member:
            case Parts((int(class_id), bytes(name), int(attribute), 0)) if len(name) == 6:
                obis = Obis.from_bytes(name)
                found = self._known.get(obis)
                if found is not None and found.class_id == class_id:
                    return {"object": str(obis), "attribute": attribute}
        raise ValueNotTakenError("there is nothing that this names to be told")

    def _take_destination(self, value: Given, actions: Actions) -> None:
        match value:
            case str(destination):
                pass
            case Parts((TransportService.TCP, bytes(octets), MessageType.XDLMS)):
                destination = octets.decode("ascii", "replace")
            case _:
                raise ValueNotTakenError("this takes HOST:PORT, over TCP and as xDLMS APDUs")
        self._change(actions, destination=destination)

    def _take_delay(self, actions: Actions, delay_s: int) -> None:
        most_s = max(self._push.delay_max_s, min(delay_s, 65_535))
        self._change(actions, delay_s=delay_s, delay_max_s=most_s)

    def _change(self, actions: Actions, **changes: object) -> None:
        part = json.dumps(self._part() | changes)
        actions.apply_config(part_from_json(self._config, _PART, part))

    def _part(self) -> dict[str, object]:
        part: dict[str, object] = json.loads(part_to_json(self._config, _PART))
        return part


def pushed_by(config: MeterConfig) -> list[tuple[Obis, int]]:
    """What a notification tells, by object and attribute."""
    return [(Obis.parse(each.object), each.attribute) for each in config.push.objects]
