"""The scripts by which calendars put a rate in force, and the rates of scripts."""

from __future__ import annotations

from typing import Final

from elec_meter.config.switchgear import RELAY_ON
from elec_meter.objects.classes.limiter import ScriptCall
from elec_meter.plans import CHANNELS, relay_number
from shared.obis import Obis

TARIFF_SCRIPTS: Final = Obis.parse("0-0:10.0.100")
OUTPUT_SCRIPTS: Final = Obis.parse("0-0:10.0.103")
_RATES: Final = 64
"""Scripts of a tariff: the rate, plus this for each calendar before it."""


def rate_script(key: str, rate: int) -> ScriptCall:
    """What puts a rate in force.

    Of a relay, rate 1 is off, its even script, and rate 2 is on, the one behind it.

    Args:
        key: whose calendar it is: see `elec_meter.plans`.
        rate: from 1.
    """
    relay = relay_number(key)
    if relay is not None:
        return ScriptCall(OUTPUT_SCRIPTS, 2 * relay + rate - 1)
    return ScriptCall(TARIFF_SCRIPTS, _RATES * CHANNELS.index(key) + rate)


def rate_of_script(key: str, called: ScriptCall, rates: int) -> int | None:
    """The rate that a script puts in force; None if it is none of the calendar's.

    Args:
        key: whose calendar it is.
        called: the script.
        rates: how many there are.
    """
    most = rates if relay_number(key) is None else RELAY_ON
    first = rate_script(key, 1)
    rate = called.selector - first.selector + 1
    return rate if called.table == first.table and 1 <= rate <= most else None
