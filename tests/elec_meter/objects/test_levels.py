"""Every entry of the directory, and who may use it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest

from elec_meter import Meter, Storage
from elec_meter.access import Gate, Level, level_to_change
from elec_meter.config import (
    DatePattern,
    automatic_screens,
    config_to_json,
    part_from_json,
    part_names,
    part_to_json,
)
from elec_meter.control import OrderDesk, Orders
from elec_meter.errors import ConfigError, MeterError, NotAllowedError
from elec_meter.objects import CosemObject, DayAction, DayProfile, Entry, Form, Given
from elec_meter.objects.catalogue import complete_config
from elec_meter.tariff import SeasonProfile, SpecialDayEntry, WeekProfile
from shared.obis import Obis

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ANY_DAY = DatePattern.parse("*-12-25")
CANDIDATES: dict[Form, tuple[Given, ...]] = {
    Form.NUMBER: (0, 1, 5),
    Form.TIME: (NOON + timedelta(seconds=5),),
    Form.TEXT: ("2604011230;24.5;9",),
    Form.OCTETS: (bytes(48),),
    Form.MOMENT: (None, NOON + timedelta(days=1)),
    Form.SEASONS: ((SeasonProfile("1", ANY_DAY, "1"),),),
    Form.WEEKS: ((WeekProfile("1", 1, 1, 1, 1, 1, 1, 1),),),
    Form.DAYS: ((DayProfile(1, (DayAction(time(), Obis.parse("0-0:10.0.100"), 1),)),),),
    Form.SPECIAL_DAYS: ((SpecialDayEntry(1, ANY_DAY, 1),),),
    Form.SPECIAL_DAY: ((SpecialDayEntry(2, ANY_DAY, 1),),),
    Form.PARTS: ("192.0.2.1:4059", '[{"object": "0-0:42.0.0"}]'),
}
CONFIG = complete_config()
SCREENS = msgspec.to_builtins(automatic_screens(CONFIG))
DOCUMENTS: dict[str | None, Any] = {
    None: {**json.loads(config_to_json(CONFIG)), "display": {"return_s": 31}},
    "alarms": {"quiet": ["tamper"]},
    "serial": "00000002",
    "passive": {"activate": "2027-01-01T00:00:00Z", "tariff": {}},
    "data_channels": [{"name": "volts", "number": 2, "object": "1-0:32.7.0"}],
    "display.scroll": SCREENS,
    "display.button": SCREENS,
    "display.service": [{"object": "1-0:0.0.0", "format": "text"}],
    "contactor": {"mode": 1},
    "calibration": {
        "bits": 24,
        "voltage_pv_per_count": 50_000_000,
        "current_pa_per_count": 20_000_000,
    },
    "access": {"clear_levels": [1]},
    "addons": [{"name": "a", "module": "p1"}],
    "device_ids": ["ASSET 7"],
}
"""Values of parts in which nothing can be changed a little; of the whole what installers may."""


def changed_values(value: Any) -> Iterator[Any]:
    """A JSON value with one leaf changed, or one more or one fewer row; not all make sense."""
    match value:
        case dict():
            for key, part in value.items():
                yield from ({**value, key: each} for each in changed_values(part))
        case list():
            for place, part in enumerate(value):
                head, tail = value[:place], value[place + 1 :]
                yield from ([*head, each, *tail] for each in changed_values(part))
            yield value[1:]
        case bool():
            yield not value
        case int():
            yield from (value + 1, value * 2)
        case str():
            yield value + "1"


@cache
def changed_document(path: str | None) -> tuple[str, ...]:
    """A part of the document, or the whole, as JSON with something changed that can be."""
    if path is None or path in DOCUMENTS:
        return (json.dumps(DOCUMENTS[path]),)
    for each in changed_values(json.loads(part_to_json(CONFIG, path))):
        text = json.dumps(each)
        with suppress(ConfigError):
            if part_from_json(CONFIG, path, text) != CONFIG:
                return (text,)
    return ()


@pytest.mark.parametrize("level", list(Level))
def test_an_entry_states_the_level_that_it_takes(level: Level) -> None:
    """Below it nothing is taken, and from it on nothing is refused for the level."""
    meter = Meter(CONFIG, Storage.in_memory(), NOON)
    gate = Gate(lambda: CONFIG.serial, meter.storage.record_event)
    orders = Orders(meter, now=lambda: meter.now, durable=meter.checkpoint, status=dict, gate=gate)
    desk = OrderDesk(orders, level, "a test")
    forms, proven, unproven = set(), set(), []
    for each in list(meter.objects):
        taken = [each.entry(number) for number in each.writable]
        for entry in (*taken, *map(each.method, each.methods)):
            forms.add(entry.form)
            is_proven = False
            for given in candidates(each, entry):
                try:
                    entry.take(given, desk)
                    is_allowed = True
                except NotAllowedError:
                    is_allowed = False
                except MeterError:
                    continue
                is_proven = True
                proven.add(entry.form)
                assert is_allowed == (level >= entry.level), (each, given)
            if entry.form is Form.DOCUMENT and not is_proven:
                unproven.append(each)
    assert forms == proven
    assert [] == unproven


def candidates(each: CosemObject, entry: Entry) -> Iterable[Given]:
    """Values of which an entry takes some, where the level allows it."""
    if entry.form is not Form.DOCUMENT:
        return CANDIDATES[entry.form]
    name = each.name.rpartition(": ")[2]
    if each.obis.d == 70:
        name = f"display.{name}"
    path = None if name == "Configuration" else name
    return changed_document(path)


def test_every_part_has_its_level() -> None:
    """A list of a part has the part's, and what is no part has none."""
    assert set(Level) - {Level.PUBLIC, Level.READER} == set(map(level_to_change, part_names()))
    for path in ("display.scroll", "display.button", "display.service"):
        assert Level.INSTALLER is level_to_change(path)
    with pytest.raises(KeyError):
        level_to_change("displays")
