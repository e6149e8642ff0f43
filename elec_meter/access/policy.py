"""Levels and what each of them may read."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from shared.obis import Obis

_LOGICAL_NAME: Final = 1
_VALUE: Final = 2
_PROFILE_GENERIC, _PUSH_SETUP = 7, 40
_ELECTRICITY: Final = 1
# Groups D of demand (its sum of maxima, running and last average, and maximum), of instantaneous
# values and of energy by the half-hour (IEC 62056-6-1).
_PERSONAL_D: Final = frozenset({2, 4, 5, 6, 7, 29})
_MIN_C: Final = 1
_SERVICE_C: Final = 96
_EVENT_D: Final = frozenset({11, 15})
# What a maker adds is nobody's business but those it was added for.
_MANUFACTURER_C: Final = 128


class Level(IntEnum):
    """Who is asking; a level may do whatever the levels below it may."""

    PUBLIC = 0
    READER = 1
    INSTALLER = 2
    SUPPLIER = 3
    FACTORY = 4


_LEVELS_TO_CHANGE: Final = (
    dict.fromkeys(("serial", "modulus_wh", "calibration", "led"), Level.FACTORY)
    | dict.fromkeys(
        ("gas_units", "data_channels", "display", "terminals", "flag", "device_ids"),
        Level.INSTALLER,
    )
    | dict.fromkeys(
        (
            "checkpoint_s",
            "clock",
            "profile",
            "demand",
            "billing",
            "tariff",
            "passive",
            "contactor",
            "limiter",
            "switched_load",
            "alarms",
            "access",
            "addons",
            "supply",
            "push",
        ),
        Level.SUPPLIER,
    )
)


def level_to_change(part: str) -> Level:
    """The level that may change a part of the configuration document.

    What a bill follows from is the supplier's; what is connected and shown is the installer's. The
    factory's level is there while the calibration link is fitted only.

    Args:
        part: of the first level, or a path of keys into one, such as `display.scroll`.

    Raises:
        KeyError: there is no such part.
    """
    return _LEVELS_TO_CHANGE[part.partition(".")[0]]


def may_read(level: Level, obis: Obis, class_id: int, attribute: int) -> bool:
    """Whether `level` may read an attribute of an object.

    The public sees who the meter is, its time, its state and the registers that a bill is made of.
    Half-hours, events, demand, and what energy has cost tell how a household lives: they are its
    personal data and begin at `Level.READER`; so does where they are sent.

    Args:
        level: who is asking.
        obis: the object's logical name.
        class_id: its COSEM interface class.
        attribute: 1 is the logical name, 2 the value, and so on (IEC 62056-6-2).
    """
    if level >= Level.READER or attribute == _LOGICAL_NAME:
        return True
    if class_id == _PUSH_SETUP or (class_id == _PROFILE_GENERIC and attribute == _VALUE):
        return False
    if obis.a == _ELECTRICITY and _MIN_C <= obis.c < _SERVICE_C and obis.d in _PERSONAL_D:
        return False
    if obis.c == _SERVICE_C and obis.d in _EVENT_D:
        return False
    return obis.c < _MANUFACTURER_C
