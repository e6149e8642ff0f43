"""What a meter switches: contactor, limiter and terminals; and alarms."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from msgspec import Meta

from .base import Document, ObisText, refuse_repeated, require_obis
from .tariff import MAX_RATES, CalendarConfig

FIRST_TERMINALS: Final = 4
"""Every meter has so many 5 A terminals; further ones are there where they are configured."""

MAX_TERMINALS: Final = 8
SWITCHED_LOAD: Final = 9
"""The number of the fifth, switched load terminal among what is switched."""

RELAY_ON: Final = 2
"""The rate of a relay's calendar that has it on; rate 1 has it off."""

LONGEST_BOOST_MIN: Final = 1_440
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2099
_MINUTE_S: Final = 60


class ContactorConfig(Document, frozen=True):
    """The contactor of the mains, made for 100 A behind terminals for 80 A.

    Attributes:
        mode: its control mode (IEC 62056-6-2, 4.5.8): 0 there is none; 1 and 3 it is opened from
            afar and by the limiter, armed from afar and closed by a person at the meter alone;
            with 1 a person may open it there, too. The modes in which nobody need be there when
            the house gets its power back are refused.
    """

    mode: Literal[0, 1, 3] = 3


class EmergencyConfig(Document, frozen=True):
    """A threshold that is in force for a while instead of the usual one.

    Attributes:
        threshold: as that of the limiter.
        activate: the instant of the meter's time from which on it is in force.
        duration_min: for how many minutes.
        id: what the head end calls it.
    """

    threshold: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    activate: datetime
    duration_min: Annotated[int, Meta(ge=1, le=527_040)]
    id: Annotated[int, Meta(ge=0, le=65_535)] = 0

    def __post_init__(self) -> None:
        if self.activate.tzinfo is None:
            raise ValueError("the activation needs a time zone, such as 2026-04-01T00:00:00Z")
        if self.activate.second or self.activate.microsecond:
            raise ValueError("an emergency begins at a whole minute")
        if not _FIRST_YEAR <= self.activate.year <= _LAST_YEAR:
            raise ValueError(f"an emergency begins from {_FIRST_YEAR} to {_LAST_YEAR}")

    @property
    def duration_s(self) -> int:
        """Its length in seconds."""
        return self.duration_min * _MINUTE_S


class LimiterConfig(Document, frozen=True):
    """What happens when too much is drawn for too long (COSEM class 71).

    Attributes:
        threshold: in raw numbers of the object, watts of the usual one; 0 for no limit.
        object: OBIS code of the register whose value is watched.
        over_s: seconds above the threshold before something happens.
        under_s: seconds at or below it before that is over.
        over: `open` the contactor, which then waits to be armed from afar; `trip` it, which leaves
            it armed; or only `log`.
        under: `arm` what the limiter has opened, for the person who closes it; or only `log`.
        lockout_trips: how often it may open the contactor within `lockout_s`; the last of them
            leaves it open until somebody arms it from afar.
        lockout_s: how long an opening counts.
        emergency: a threshold for a while.
    """

    threshold: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    object: ObisText = "1-0:1.7.0"
    over_s: Annotated[int, Meta(ge=0, le=86_400)] = 60
    under_s: Annotated[int, Meta(ge=0, le=86_400)] = 60
    over: Literal["open", "trip", "log"] = "open"
    under: Literal["log", "arm"] = "log"
    lockout_trips: Annotated[int, Meta(ge=1, le=100)] = 3
    lockout_s: Annotated[int, Meta(ge=60, le=86_400)] = 3_600
    emergency: EmergencyConfig | None = None

    def __post_init__(self) -> None:
        require_obis(self.object)


class RelayConfig(Document, frozen=True):
    """Something that is switched on and off.

    Attributes:
        control: by orders (`manual`), by a calendar of its own, or by the rate in force.
        calendar: of `calendar`: an activity calendar in which rate 1 is off and rate 2 is on.
        channel: of `rate`: whose rate.
        rates: of `rate`: those in which it is on.
        boost_min: the minutes of a boost that says none; 0 where there is no boost.
    """

    control: Literal["manual", "calendar", "rate"] = "manual"
    calendar: CalendarConfig = CalendarConfig()
    channel: Literal["import", "export"] = "import"
    rates: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=MAX_RATES)], ...], Meta(max_length=MAX_RATES)
    ] = ()
    boost_min: Annotated[int, Meta(ge=0, le=LONGEST_BOOST_MIN)] = 60

    def __post_init__(self) -> None:
        calendar = self.calendar
        if self.control == "calendar" and calendar.rates != RELAY_ON:
            raise ValueError("the calendar of a relay has rates = 2: 1 is off and 2 is on")
        if calendar.blocks is not None or calendar.prices is not None:
            raise ValueError("the calendar of a relay has no blocks and no prices")
        if self.control == "rate" and not self.rates:
            raise ValueError("a relay that follows the rate names the rates in which it is on")


class PulseInputConfig(Document, frozen=True):
    """A contact that is counted: a water meter, a sub-meter.

    Attributes:
        weight: what a pulse is, in the unit.
        unit: of the weight; without one pulses are counted.
        debounce_ms: how long the contact must stay as it is before that counts.
    """

    weight: Decimal = Decimal(1)
    unit: Literal["", "Wh", "m3"] = ""
    debounce_ms: Annotated[int, Meta(ge=1, le=1_000)] = 20

    def __post_init__(self) -> None:
        exponent = self.weight.as_tuple().exponent
        if not isinstance(exponent, int) or not -6 <= exponent <= 6:
            raise ValueError("the weight of a pulse has up to six decimals")
        if not 0 < self.weight <= 1_000_000:
            raise ValueError("the weight of a pulse is above 0 and at most 1000000")


class PulseOutputConfig(Document, frozen=True):
    """Pulses for another device.

    Attributes:
        object: OBIS code of the register of energy that they tell.
        imp_per_kwh: pulses for a kWh, or a kvarh.
        width_ms: how long one lasts, and the pause behind it.
    """

    object: ObisText = "1-0:1.8.0"
    imp_per_kwh: Annotated[int, Meta(ge=1, le=10_000)] = 1_000
    width_ms: Annotated[int, Meta(ge=10, le=1_000)] = 30

    def __post_init__(self) -> None:
        require_obis(self.object)


class TerminalConfig(Document, frozen=True):
    """One of the 5 A terminals; it is off where it is nothing of the three.

    Attributes:
        number: 1 to 8, and B of its OBIS codes.
    """

    number: Annotated[int, Meta(ge=1, le=MAX_TERMINALS)]
    relay: RelayConfig | None = None
    pulse_in: PulseInputConfig | None = None
    pulse_out: PulseOutputConfig | None = None

    def __post_init__(self) -> None:
        uses = (self.relay, self.pulse_in, self.pulse_out)
        if sum(use is not None for use in uses) > 1:
            raise ValueError(
                f"terminal {self.number} is one of relay, pulse_in and pulse_out, or off"
            )


class AlarmsConfig(Document, frozen=True):
    """What is worth an alarm.

    Attributes:
        quiet: what is not: it is in the event log alone.
    """

    quiet: Annotated[
        tuple[
            Literal[
                "clock_invalid",
                "battery_low",
                "storage_failed",
                "measurement_failed",
                "tamper",
                "unit_silent",
                "contactor_opened",
                "contactor_failed",
                "limiter_locked",
                "order_refused",
                "level_locked",
            ],
            ...,
        ],
        Meta(max_length=32),
    ] = ()

    def __post_init__(self) -> None:
        refuse_repeated("alarm", list(self.quiet))
