"""The codes of the event log."""

from __future__ import annotations

from enum import IntEnum


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
    UNIT_RESET = 210
    UNIT_FLOW_IMPLAUSIBLE = 211
    UNIT_COUNT_ROLLED_BACK = 212
    TELEGRAM_REFUSED = 213
    STORAGE_FAILED = 220
    STORAGE_RECOVERED = 221
    STORAGE_REPAIRED = 222
    CLOCK_ADJUSTED = 230
    CLOCK_REFUSED = 231
    BILLING_ENDED = 232
    DEMAND_RESET = 233
    PRICES_RECEIVED = 234
    ORDER_REFUSED = 235
