"""Tariffs as data: calendars, blocks and prices of every channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from .base import Document, MinuteText, Name, TimeBase, minute_of, refuse_repeated
from .dates import DatePattern

MAX_RATES: Final = 48
MAX_GAS_RATES: Final = 4
MAX_BLOCK_RATES: Final = 8
MAX_BLOCKS: Final = 4
REACTIVE: Final = "reactive_"
"""How the names of the channels of reactive energy begin."""

BlockReset = Literal["day", "month", "quarter", "billing"]
"""When the blocks of a rate begin again."""

MIDNIGHT: Final = "00:00"

PRICE_BELOW_P: Final = 100_000

_MILLIPENNY: Final = Decimal("0.001")
_THRESHOLD_MAX: Final = 10**12
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2099


class SwitchConfig(Document, frozen=True):
    """From this wall-clock minute on, in the calendar's time base, a rate is in force."""

    at: MinuteText
    rate: Annotated[int, Meta(ge=1, le=MAX_RATES)]

    @property
    def minute(self) -> int:
        """Minutes since midnight."""
        return minute_of(self.at)


Switches = Annotated[tuple[SwitchConfig, ...], Meta(max_length=48)]

Label = Annotated[str, Meta(max_length=32)]
"""What a head end calls a part of a calendar, where that is no name of the document."""


class DayConfig(Document, frozen=True):
    """A day profile: the rates of a day, the first one from 00:00 on.

    Attributes:
        number: the day_id of the activity calendar; without one, its place in the list, from 1.
    """

    name: Name
    switches: Switches
    number: Annotated[int, Meta(ge=0, le=255)] | None = None

    def __post_init__(self) -> None:
        refuse_repeated("switch time", [switch.at for switch in self.switches])
        first = min((switch.at for switch in self.switches), default=None)
        if first != MIDNIGHT:
            until = "all day" if first is None else f"until {first}"
            raise ValueError(f"the day profile {self.name} has no rate from 00:00 {until}")


class WeekConfig(Document, frozen=True):
    """A week profile: the day profile of Monday, Tuesday and so on to Sunday.

    Attributes:
        label: its name in the activity calendar; without one, the same.
    """

    name: Name
    days: Annotated[tuple[Name, ...], Meta(min_length=7, max_length=7)]
    label: Label | None = None

    @property
    def called(self) -> str:
        """Its name in the activity calendar."""
        return self.name if self.label is None else self.label


class SeasonConfig(Document, frozen=True):
    """From this day of every year on, a week profile is in force until the next season begins.

    Attributes:
        start: month and day, such as `04-01` or `03-L Sun`.
        week: name of the week profile.
        label: its name in the activity calendar; without one, its place in the list, from 1.
    """

    start: str
    week: Name
    label: Label | None = None

    def __post_init__(self) -> None:
        pattern = self.pattern
        if pattern.month is None or pattern.day is None:
            raise ValueError(f"{self.start[:20]!r} is no beginning of a season such as '04-01'")
        if (pattern.month, pattern.day) == (2, 29):
            raise ValueError("a season begins in every year, and not every year has a 29 February")

    @property
    def pattern(self) -> DatePattern:
        """The day of any year."""
        return DatePattern.parse(f"*-{self.start}")


class SpecialDayConfig(Document, frozen=True):
    """Days that have a day profile of their own; of several that match, the first one counts.

    Attributes:
        date: a date, with wildcards: see `DatePattern`.
        day: name of the day profile.
        number: its index in the special days table; without one, its place in the list, from 1.
    """

    date: str
    day: Name
    number: Annotated[int, Meta(ge=0, le=65_535)] | None = None

    def __post_init__(self) -> None:
        self.pattern  # noqa: B018 - evaluated for its refusal

    @property
    def pattern(self) -> DatePattern:
        """What it matches."""
        return DatePattern.parse(self.date)


Days = Annotated[tuple[DayConfig, ...], Meta(max_length=16)]
Weeks = Annotated[tuple[WeekConfig, ...], Meta(max_length=16)]
Seasons = Annotated[tuple[SeasonConfig, ...], Meta(max_length=12)]
SpecialDays = Annotated[tuple[SpecialDayConfig, ...], Meta(max_length=50)]


class BlocksConfig(Document, frozen=True):
    """A block tariff: what a rate has counted since the period began decides on the block.

    Attributes:
        thresholds: up to three rising bounds for every rate, or one list for all rates: Wh for
            energy, litres for gas. Block 1 ends at the first.
        reset: when counting begins again, at local midnight or at the end of a billing period.
    """

    thresholds: Annotated[
        tuple[Annotated[tuple[int, ...], Meta(max_length=MAX_BLOCKS - 1)], ...],
        Meta(min_length=1, max_length=MAX_BLOCK_RATES),
    ]
    reset: BlockReset = "billing"

    def __post_init__(self) -> None:
        for bounds in self.thresholds:
            if any(bound <= 0 for bound in bounds) or list(bounds) != sorted(set(bounds)):
                raise ValueError(f"the thresholds {list(bounds)} do not rise from above zero")
            if any(bound > _THRESHOLD_MAX for bound in bounds):
                raise ValueError(f"a threshold is at most {_THRESHOLD_MAX}")


class PricesConfig(Document, frozen=True):
    """What energy costs; without it no cost is shown.

    Attributes:
        rate_p_kwh: pence for a kWh of each rate, with up to three decimals.
        block_p_kwh: for each rate the prices of its blocks, instead of `rate_p_kwh`.
        half_hourly: prices come as a list of half-hours; where it has none, the cost is unknown.
        standing_p_day: pence for every local day.
    """

    rate_p_kwh: Annotated[tuple[Decimal, ...], Meta(max_length=MAX_RATES)] = ()
    block_p_kwh: Annotated[
        tuple[Annotated[tuple[Decimal, ...], Meta(max_length=MAX_BLOCKS)], ...],
        Meta(max_length=MAX_BLOCK_RATES),
    ] = ()
    half_hourly: bool = False
    standing_p_day: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        kinds = [bool(self.rate_p_kwh), bool(self.block_p_kwh), self.half_hourly]
        if sum(kinds) != 1:
            raise ValueError("prices are those of rates, of blocks or of half-hours: one of them")
        for price in (
            *self.rate_p_kwh,
            *(each for row in self.block_p_kwh for each in row),
            self.standing_p_day,
        ):
            millipence(price)


def millipence(price_p: Decimal) -> int:
    """A price in thousandths of a penny.

    Raises:
        ValueError: it has more than three decimals, or is no price at all.
    """
    if not price_p.is_finite() or not -PRICE_BELOW_P < price_p < PRICE_BELOW_P:
        raise ValueError(f"{str(price_p)[:20]} p is no price")
    # Comparing is exact however many digits there are; scaling the price itself would round it.
    rounded = price_p.quantize(_MILLIPENNY)
    if rounded != price_p:
        raise ValueError(f"the price {str(price_p)[:20]} p has more than three decimals")
    return int(rounded / _MILLIPENNY)


class CalendarConfig(Document, frozen=True):
    """Which rate is in force when, and what it costs.

    Either the same `switches` every day, the last one of a day lasting into the next; or day
    profiles, with week profiles that name them, seasons that name weeks, and special days.

    Attributes:
        time_base: whether times and dates are UTC or British local time.
        rates: how many rate registers the channel has.
        switches: the times of day at which a rate begins; without any, rate 1 is always in force.
        days: day profiles.
        weeks: week profiles; they may be left out where there is one day profile.
        seasons: seasons; they may be left out where there is one week profile.
        special_days: exceptions.
        blocks: a block tariff on up to eight rates.
        prices: what is paid.
        label: its name in the activity calendar; without one, that of its channel.
    """

    time_base: TimeBase = "utc"
    rates: Annotated[int, Meta(ge=1, le=MAX_RATES)] = 1
    switches: Switches = ()
    days: Days = ()
    weeks: Weeks = ()
    seasons: Seasons = ()
    special_days: SpecialDays = ()
    blocks: BlocksConfig | None = None
    prices: PricesConfig | None = None
    label: Label | None = None

    def __post_init__(self) -> None:
        refuse_repeated("switch time", [switch.at for switch in self.switches])
        refuse_repeated("day profile", [day.name for day in self.days])
        refuse_repeated("number of a day profile", list(map(str, numbers_of(self.days))))
        refuse_repeated("week profile", [week.name for week in self.weeks])
        refuse_repeated("label of a week profile", [week.called for week in self.weeks])
        refuse_repeated("season's beginning", [season.start for season in self.seasons])
        refuse_repeated("special day", [special.date for special in self.special_days])
        refuse_repeated("number of a special day", list(map(str, numbers_of(self.special_days))))
        self._refuse_missing_rates()
        self._refuse_missing_profiles()
        self._refuse_wrong_prices()

    def _refuse_missing_rates(self) -> None:
        for switch in (*self.switches, *(each for day in self.days for each in day.switches)):
            if switch.rate > self.rates:
                raise ValueError(
                    f"the switch at {switch.at} asks for rate {switch.rate},"
                    f" and there are {self.rates}"
                )

    def _refuse_missing_profiles(self) -> None:
        days = {day.name for day in self.days}
        weeks = {week.name for week in self.weeks}
        if self.switches and self.days:
            raise ValueError("there are switches for every day and day profiles too")
        if not self.days and (self.weeks or self.seasons or self.special_days):
            raise ValueError("there are weeks, seasons or special days, and no day profile")
        if len(self.days) > 1 and not self.weeks:
            raise ValueError("there are several day profiles, and no week that names them")
        if len(self.weeks) > 1 and not self.seasons:
            raise ValueError("there are several week profiles, and no season that names them")
        named = [(f"the week {week.name}", each) for week in self.weeks for each in week.days]
        named += [(f"the special day {special.date}", special.day) for special in self.special_days]
        for owner, name in named:
            if name not in days:
                raise ValueError(f"{owner} names the day profile {name}, and there is none")
        for season in self.seasons:
            if season.week not in weeks:
                raise ValueError(
                    f"the season from {season.start} names the week profile {season.week},"
                    " and there is none"
                )

    def _refuse_wrong_prices(self) -> None:
        if self.blocks is not None:
            if self.rates > MAX_BLOCK_RATES:
                raise ValueError(
                    f"a block tariff has at most {MAX_BLOCK_RATES} rates, not {self.rates}"
                )
            if len(self.blocks.thresholds) not in (1, self.rates):
                raise ValueError(
                    f"there are {self.rates} rates and {len(self.blocks.thresholds)} lists of"
                    " thresholds"
                )
        prices = self.prices
        if prices is None:
            return
        if prices.rate_p_kwh and len(prices.rate_p_kwh) != self.rates:
            raise ValueError(f"there are {self.rates} rates and {len(prices.rate_p_kwh)} prices")
        if prices.block_p_kwh:
            wanted = [len(bounds) + 1 for bounds in self.thresholds]
            if [len(row) for row in prices.block_p_kwh] != wanted:
                raise ValueError("every block of every rate has one price")

    @property
    def thresholds(self) -> tuple[tuple[int, ...], ...]:
        """The bounds between the blocks of each rate; empty for a rate that has one block."""
        if self.blocks is None:
            return ((),) * self.rates
        given = self.blocks.thresholds
        return given if len(given) == self.rates else given * self.rates


def numbers_of(rows: Sequence[DayConfig | SpecialDayConfig]) -> list[int]:
    """What COSEM has to tell day profiles, or special days, apart: numbers, else places from 1."""
    return [place if row.number is None else row.number for place, row in enumerate(rows, start=1)]


_ONE_RATE: Final = CalendarConfig()


class TariffConfig(Document, frozen=True):
    """The calendars: import, export, and one for every pulse channel.

    Attributes:
        offset_limit_s: a meter's own share of this delay, fixed by its serial number, keeps a
            street from switching at one instant.
        offset_rates: whether the delay applies to the rates too, and not to terminals alone.
    """

    import_: CalendarConfig = msgspec.field(name="import", default_factory=CalendarConfig)
    export: CalendarConfig = CalendarConfig()
    gas: CalendarConfig = CalendarConfig()
    offset_limit_s: Annotated[int, Meta(ge=0, le=1_799)] = 0
    offset_rates: bool = False

    def __post_init__(self) -> None:
        if self.gas.rates > MAX_GAS_RATES:
            raise ValueError(f"gas has at most {MAX_GAS_RATES} rates, not {self.gas.rates}")
        if self.gas.blocks is not None and self.gas.blocks.reset == "billing":
            raise ValueError("the blocks of gas begin again by the calendar, not with billing")
        if self.gas.prices is not None:
            raise ValueError("gas has no price: what a cubic metre holds is not known here")

    def calendar(self, channel: str) -> CalendarConfig:
        """The calendar of a channel: reactive energy has one rate; pulse channels share theirs."""
        if channel.startswith(REACTIVE):
            return _ONE_RATE
        return {"import": self.import_, "export": self.export}.get(channel, self.gas)


class PassiveTariff(Document, frozen=True):
    """The tariff that comes next, and the instant of the meter's time at which it does."""

    activate: datetime
    tariff: TariffConfig

    def __post_init__(self) -> None:
        if self.activate.tzinfo is None:
            raise ValueError("the activation needs a time zone, such as 2026-04-01T00:00:00Z")
        if self.activate.second or self.activate.microsecond:
            raise ValueError("a tariff is activated at a whole minute")
        if not _FIRST_YEAR <= self.activate.year <= _LAST_YEAR:
            raise ValueError(f"a tariff is activated from {_FIRST_YEAR} to {_LAST_YEAR}")
