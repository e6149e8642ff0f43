"""The codes of the events, and the log that each is in."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class EventCode(IntEnum):
    """What happened. Codes below 200 are those of the DLMS/IDIS event lists; later ones are ours.

    The log keeps a code, an instant and a sentence; only the code is for programs.
    """

    POWER_DOWN = 1
    POWER_UP = 2
    CLOCK_SET = 5
    CLOCK_INVALID = 6
    TARIFF_ACTIVATED = 9
    CONFIGURATION_CHANGED = 47
    KEYS_CHANGED = 48
    CONTACTOR_ARMED = 59
    CONTACTOR_OPENED_BY_HAND = 60
    CONTACTOR_CLOSED_BY_HAND = 61
    CONTACTOR_OPENED_REMOTELY = 62
    CONTACTOR_OPENED_BY_LIMITER = 64
    LIMIT_EXCEEDED = 65
    LIMIT_KEPT = 66
    LIMIT_CHANGED = 67
    CONTACTOR_FAILED = 68
    SUPPLY_SAG = 76
    SUPPLY_SWELL = 79
    SUPPLY_LOST = 82
    UNIT_SILENT = 100
    UNIT_BATTERY_LOW = 102
    UNIT_TAMPERED = 103
    UNIT_PAIRED = 105
    FIRST_POWER_UP = 200
    MEASUREMENT_GAP = 202
    MEASUREMENT_SATURATED = 203
    MEASUREMENT_NO_SIGNAL = 204
    MEASUREMENT_STUCK = 205
    MEASUREMENT_DC = 206
    MEASUREMENT_UNLOCKED = 207
    MEASUREMENT_LOST = 208
    MEASUREMENT_RESUMED = 209
    UNIT_RESET = 210
    UNIT_FLOW_IMPLAUSIBLE = 211
    UNIT_COUNT_ROLLED_BACK = 212
    TELEGRAM_REFUSED = 213
    BEARER_LOST = 214
    BEARER_WORKS = 215
    UNIT_LOG_READ = 216
    UNIT_LOG_REFUSED = 217
    UNIT_EXCHANGED = 218
    UNIT_UNPAIRED = 219
    STORAGE_FAILED = 220
    STORAGE_RECOVERED = 221
    STORAGE_REPAIRED = 222
    CLOCK_ADJUSTED = 230
    CLOCK_REFUSED = 231
    BILLING_ENDED = 232
    DEMAND_RESET = 233
    PRICES_RECEIVED = 234
    ORDER_REFUSED = 235
    CALENDAR_REFUSED = 236
    SIGNED_ON = 240
    SIGN_ON_FAILED = 241
    PASSWORD_CHANGED = 242
    LEVEL_LOCKED = 243
    LIMITER_LOCKED = 250
    RELAY_SWITCHED = 251
    RELAY_BOOSTED = 252
    ALARMS_CLEARED = 253
    ADDON_STOPPED = 260
    ADDON_CUT = 261
    ADDON_RECOVERED = 262


class Log(IntEnum):
    """The event logs, by E of their codes (IEC 62056-6-1, 6.2.55)."""

    STANDARD = 0
    TAMPER = 1
    CONTACTOR = 2
    M_BUS = 3
    POWER_QUALITY = 4
    COMMUNICATION = 5


_CODES: Final = {
    Log.TAMPER: (EventCode.UNIT_TAMPERED,),
    Log.CONTACTOR: (
        EventCode.CONTACTOR_ARMED,
        EventCode.CONTACTOR_OPENED_BY_HAND,
        EventCode.CONTACTOR_CLOSED_BY_HAND,
        EventCode.CONTACTOR_OPENED_REMOTELY,
        EventCode.CONTACTOR_OPENED_BY_LIMITER,
        EventCode.LIMIT_EXCEEDED,
        EventCode.LIMIT_KEPT,
        EventCode.LIMIT_CHANGED,
        EventCode.CONTACTOR_FAILED,
        EventCode.LIMITER_LOCKED,
        EventCode.RELAY_SWITCHED,
        EventCode.RELAY_BOOSTED,
    ),
    Log.M_BUS: (
        EventCode.UNIT_SILENT,
        EventCode.UNIT_BATTERY_LOW,
        EventCode.UNIT_PAIRED,
        EventCode.UNIT_RESET,
        EventCode.UNIT_FLOW_IMPLAUSIBLE,
        EventCode.UNIT_COUNT_ROLLED_BACK,
        EventCode.TELEGRAM_REFUSED,
        EventCode.BEARER_LOST,
        EventCode.BEARER_WORKS,
        EventCode.UNIT_LOG_READ,
        EventCode.UNIT_LOG_REFUSED,
        EventCode.UNIT_EXCHANGED,
        EventCode.UNIT_UNPAIRED,
    ),
    Log.POWER_QUALITY: (
        EventCode.SUPPLY_SAG,
        EventCode.SUPPLY_SWELL,
        EventCode.SUPPLY_LOST,
        EventCode.MEASUREMENT_NO_SIGNAL,
        EventCode.MEASUREMENT_DC,
        EventCode.MEASUREMENT_UNLOCKED,
    ),
    Log.COMMUNICATION: (
        EventCode.ORDER_REFUSED,
        EventCode.CALENDAR_REFUSED,
        EventCode.SIGNED_ON,
        EventCode.SIGN_ON_FAILED,
        EventCode.PASSWORD_CHANGED,
        EventCode.LEVEL_LOCKED,
        EventCode.ADDON_STOPPED,
        EventCode.ADDON_CUT,
        EventCode.ADDON_RECOVERED,
    ),
}
_LOGS: Final[dict[int, Log]] = {code: log for log, codes in _CODES.items() for code in codes}

APART: Final = tuple(int(code) for code in _LOGS)
"""Codes that are in another log than the standard one."""


def log_of(code: int) -> Log:
    """The log that an event is in; the standard one has what no other has."""
    return _LOGS.get(code, Log.STANDARD)


def codes_of(log: Log) -> tuple[int, ...]:
    """The codes of a log other than the standard one, which has all that are not `APART`."""
    return tuple(map(int, _CODES.get(log, ())))
