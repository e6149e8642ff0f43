"""What a battery's charge goes to and how long it lasts, for people: the ledger's own terms."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from pulse_unit import boards
from pulse_unit.battery import (
    SAMPLE_INTERVAL_MS,
    SELF_DISCHARGE_PERMILLE,
    USABLE_PERCENT,
    BatteryFigures,
    DayPlan,
    Term,
    daily_terms,
)
from pulse_unit.cli.sources import Cell
from shared.wire.grid import DAY_S

GOAL_YEARS: Final = 20
GOAL_DAYS: Final = 7_305
_DAYS_PER_YEAR: Final = Decimal("365.25")
_MONTH_DAYS: Final = 30
_WHOLE_WINDOW_NA: Final = 7_000_000  # the receiver, never switched off
_FIGURES: Final = {"stm32wb": boards.stm32wb, "esp32": boards.esp32}


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a unit runs on and what its days are like; a period of 0 is none."""

    board: str
    cell: Cell
    pulses_per_month: int
    closed_percent: Decimal
    advert_period_s: int
    telegram_period_s: int
    window_period_s: int
    sample_interval_ms: int = SAMPLE_INTERVAL_MS
    self_discharge_permille: int = SELF_DISCHARGE_PERMILLE
    usable_percent: int = USABLE_PERCENT

    @property
    def figures(self) -> BatteryFigures:
        """The board's."""
        return _FIGURES[self.board](
            self.cell.capacity_mah, self.usable_percent, self.self_discharge_permille
        )

    @property
    def plan(self) -> DayPlan:
        """A day; a month has 30 of them."""
        return DayPlan(
            telegram_period_s=self.telegram_period_s,
            advert_period_s=self.advert_period_s,
            window_period_s=self.window_period_s,
            pulses=-(-self.pulses_per_month // _MONTH_DAYS),
            closed_s=int(DAY_S * self.closed_percent / 100),
            sample_interval_ms=self.sample_interval_ms,
        )


class Budget:
    """A battery's charge and its terms.

    Attributes:
        terms: everything that takes charge, of `daily_terms`.
        usable_c: coulombs of a new battery.
        day_nc: what a day takes.
    """

    def __init__(self, figures: BatteryFigures, plan: DayPlan) -> None:
        self.terms = [term for term in daily_terms(figures, plan) if term.day_nc]
        self.usable_c = figures.usable_c
        self.day_nc = sum(term.day_nc for term in self.terms)

    @property
    def years(self) -> Decimal:
        """How long a new battery lasts, in tenths, rounded down."""
        days = Decimal(self.usable_c * 1_000_000_000) / self.day_nc
        return (days / _DAYS_PER_YEAR).quantize(Decimal("0.1"), ROUND_FLOOR)

    @property
    def reaches_goal(self) -> bool:
        """Whether a new battery lasts for 20 years."""
        return self.day_nc * GOAL_DAYS <= self.usable_c * 1_000_000_000

    @property
    def average_ua(self) -> Decimal:
        """All terms as one current."""
        return average_ua(self.day_nc)

    @property
    def goal_ua(self) -> Decimal:
        """The current that this battery bears for 20 years."""
        current_ua = Decimal(self.usable_c * 1_000_000) / (GOAL_DAYS * DAY_S)
        return current_ua.quantize(Decimal("0.01"), ROUND_FLOOR)

    def percent(self, term: Term) -> Decimal:
        """A term's share of the day."""
        return (Decimal(term.day_nc * 100) / self.day_nc).quantize(Decimal("0.1"))


def average_ua(day_nc: int) -> Decimal:
    """A day's charge as a current in microamperes."""
    return (Decimal(day_nc) / DAY_S / 1_000).quantize(Decimal("0.001"))


def shortened(conditions: Conditions) -> list[tuple[str, Decimal]]:
    """Say of each change for the worse how many years are left, worst first."""
    return sorted(_changes(conditions), key=lambda change: change[1])


def _changes(now: Conditions) -> Iterator[tuple[str, Decimal]]:
    plan = now.plan

    def of(changed: Conditions) -> Decimal:
        return Budget(changed.figures, changed.plan).years

    for name, noun in (("advert", "adverts"), ("telegram", "telegrams"), ("window", "windows")):
        field = f"{name}_period_s"
        period_s = getattr(now, field)
        if period_s > 1:
            yield f"twice as many {noun}", of(replace(now, **{field: period_s // 2}))
    if plan.telegrams:
        figures = now.figures
        figures.listen_na = _WHOLE_WINDOW_NA
        yield "a receiver that is on throughout the reply window", Budget(figures, plan).years
    if plan.pulses:
        yield "twice as many pulses", of(replace(now, pulses_per_month=now.pulses_per_month * 2))
    if plan.closed_s and now.sample_interval_ms:
        yield (
            "a closed contact that is watched, not parked (a litre a pulse)",
            of(replace(now, sample_interval_ms=0)),
        )
    if plan.closed_s < DAY_S:
        yield "a reed that always rests closed", of(replace(now, closed_percent=Decimal(100)))
    hotter = now.self_discharge_permille * 2
    yield (
        "10 °C more, at which self-discharge doubles",
        of(replace(now, self_discharge_permille=hotter)),
    )
    figures = now.figures
    figures.sleep_na *= 2
    yield "twice the current asleep", Budget(figures, plan).years
    yield "firmware that takes twice what is estimated", Budget(_dearer(now.figures), plan).years
    yield (
        f"70 % of the cell usable instead of {now.usable_percent} %",
        of(replace(now, usable_percent=70)),
    )


def _dearer(figures: BatteryFigures) -> BatteryFigures:
    for name in ("wake_nc", "pulse_nc", "sample_nc", "advert_nc", "window_nc", "telegram_nc"):
        setattr(figures, name, 2 * getattr(figures, name))
    return figures
