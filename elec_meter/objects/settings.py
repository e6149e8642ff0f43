"""The configuration as objects: whole, part by part, and by its change (manufacturer range)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar, Final

from elec_meter.access import PASSWORD_LEVELS, SALT_BYTES, Level, level_to_change
from elec_meter.config import (
    MeterConfig,
    config_from_json,
    config_to_json,
    decode_document,
    document_check,
    encode_document,
    part_from_json,
    part_from_octets,
    part_names,
    part_to_json,
    part_to_octets,
    refuse_left_out,
)
from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.entry import Actions, Entry, Form, Given, octets_entry
from elec_meter.objects.classes.errors import ValueNotTakenError
from elec_meter.objects.sources import Sources

CHANGE: Final = "0-0:128.51.0"
"""Where a compact change of the configuration is written."""

_VALUE: Final = 2
_LOWEST_LEVEL: Final = min(map(level_to_change, part_names()))


class Setting(CosemObject):
    """A document of the configuration: text for people, octets in the compact coding.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        text: gives it as JSON.
        octets: gives it in the compact coding.
        changed: the whole configuration with another value of it, a text or octets.
        level: the lowest that may change any of it.
    """

    class_id: ClassVar[int] = 1

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        *,
        text: Callable[[], str],
        octets: Callable[[], bytes],
        changed: Callable[[str | bytes], MeterConfig],
        level: Level,
    ) -> None:
        super().__init__(obis, name, now)
        self._text = text
        self._octets = octets
        self._changed = changed
        self._level = level

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; the value is JSON."""
        return self._text() if attribute == _VALUE else super().present(attribute, now)

    def octets(self) -> bytes:
        """The value in the compact coding, as DLMS has it."""
        return self._octets()

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {_VALUE: lambda _: self._octets()}

    def _writers(self) -> Mapping[int, Entry]:
        return {_VALUE: Entry(Form.DOCUMENT, self._take, self._level)}

    def _take(self, value: Given, actions: Actions) -> None:
        if not isinstance(value, (str, bytes)):
            raise ValueNotTakenError("this takes JSON or the compact coding")
        actions.apply_config(self._changed(value))


def setting_objects(sources: Sources) -> Iterator[CosemObject]:
    """The configuration in force, its parts, its check and change, and the passwords."""
    config, now = sources.config, sources.now
    yield Setting(
        "0-0:128.50.0",
        "Configuration",
        now,
        text=lambda: config_to_json(config).decode(),
        octets=lambda: encode_document(config),
        changed=_whole,
        level=_LOWEST_LEVEL,
    )
    for number, name in enumerate(part_names(), start=1):
        yield _part(sources, f"0-0:128.50.{number}", f"Configuration: {name}", name)
    for number, name in enumerate(("scroll", "button", "service")):
        path = f"display.{name}"
        yield _part(sources, f"0-0:128.70.{number}", f"Display list: {name}", path)
    yield Data(
        CHANGE,
        "Check of the configuration",
        now,
        lambda _: document_check(config),
        entry=octets_entry(lambda actions, change: actions.apply_change(change), _LOWEST_LEVEL),
    )
    for level in PASSWORD_LEVELS:
        yield Data(
            f"0-0:128.52.{int(level)}",
            f"Password of level {int(level)}",
            now,
            lambda _: None,
            entry=octets_entry(_password(level), max(level, Level.INSTALLER)),
        )


def _whole(value: str | bytes) -> MeterConfig:
    return decode_document(value) if isinstance(value, bytes) else config_from_json(value)


def _part(sources: Sources, obis: str, title: str, name: str) -> Setting:
    config = sources.config

    def changed(value: str | bytes) -> MeterConfig:
        if isinstance(value, bytes):
            return part_from_octets(config, name, value)
        written = part_from_json(config, name, value)
        refuse_left_out(config, name, value)
        return written

    return Setting(
        obis,
        title,
        sources.now,
        text=lambda: part_to_json(config, name),
        octets=lambda: part_to_octets(config, name),
        changed=changed,
        level=level_to_change(name),
    )


def _password(level: Level) -> Callable[[Actions, bytes], None]:
    """Takes salt and key, one behind the other."""

    def change(actions: Actions, verifier: bytes) -> None:
        actions.change_password(level, verifier[:SALT_BYTES], verifier[SALT_BYTES:])

    return change
