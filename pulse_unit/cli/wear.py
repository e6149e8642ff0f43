"""How often a unit's memory is erased in its life: the budget that the ring of pages is sized by.

Integers throughout, rounded up. A page of ``slots`` records takes one change each, less what the
store or the log puts on every page.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulse_unit import history, store
from pulse_unit.cli.budget import GOAL_DAYS, Budget
from pulse_unit.nvm import Nvm, Slots
from pulse_unit.transmitter import BLOCK
from pulse_unit.unit import PAGES, STATE_PAGES
from shared.wire.grid import DAY_S, HALF_HOUR_S

if TYPE_CHECKING:
    from pulse_unit.cli.budget import Conditions

SLOTS = Nvm.page_size // Slots.RECORD
LOG_PAGES = PAGES - STATE_PAGES

_LOG_MARKS = history.PAGE_MARKS + 1  # and what is left where a tick and a count do not fit
_BOOT_CHANGES = 3  # its number, a resume mark and the last change again


class Life:
    """What a unit does in its life; the defaults are the battery target's.

    Attributes:
        coulombs: taken from the battery, one change each.
        days: how long it is.
        pulses_per_month: of thirty days.
        telegrams_per_day: 96 are one every 15 minutes.
        adverts_per_day: 1,440 are one a minute.
        block: message counters that are reserved at once, and advert counters.
        commands_per_day: each of which moves the grid too.
        boots: resets.
    """

    def __init__(
        self,
        *,
        coulombs: int,
        days: int = GOAL_DAYS,
        pulses_per_month: int = 20_000,
        telegrams_per_day: int = 96,
        adverts_per_day: int = 1_440,
        block: int = BLOCK,
        commands_per_day: int = 1,
        boots: int = 1_000,
    ) -> None:
        self.days = days
        self.pulses_per_month = pulses_per_month
        self.telegrams_per_day = telegrams_per_day
        self.adverts_per_day = adverts_per_day
        self.block = block
        self.commands_per_day = commands_per_day
        self.coulombs = coulombs
        self.boots = boots

    def changes(self) -> int:
        """Return how many values change in the store."""
        blocks = _up(self.telegrams_per_day * self.days, self.block)
        blocks += _up(self.adverts_per_day * self.days, self.block)
        pulses = _up(self.pulses_per_month * self.days, 30)
        commands = self.commands_per_day * self.days
        return pulses + blocks + commands + self.coulombs + _BOOT_CHANGES * self.boots

    def log_records(self) -> int:
        """Return how many records the log takes."""
        half_hours = DAY_S // HALF_HOUR_S
        phases = self.commands_per_day
        if not phases:
            return _up(half_hours * self.days, history.BATCH) + _BOOT_CHANGES * self.boots
        # A moved tick is two marks; the half-hours up to the next begin a record.
        spell = 2 + _up(half_hours // phases - 1, history.BATCH)
        return (spell * phases) * self.days + _BOOT_CHANGES * self.boots


@dataclass(frozen=True, slots=True)
class Wear:
    """How often each page of the store and each of the log is erased in a life."""

    store_erases: int
    log_erases: int


def wear_of(conditions: "Conditions") -> Wear:
    """Return what the years of the goal do to the memory of a unit with as many values as can be.

    A command a day is sent, and a thousand resets happen. All charge that is taken is booked,
    whether or not one battery bears it.
    """
    plan = conditions.plan
    life = Life(
        pulses_per_month=conditions.pulses_per_month,
        telegrams_per_day=plan.telegrams,
        adverts_per_day=plan.adverts,
        coulombs=_up(Budget(conditions.figures, plan).day_nc * GOAL_DAYS, 1_000_000_000),
    )
    return Wear(
        store_erases(life.changes(), store.KEY_COUNT, SLOTS, STATE_PAGES),
        log_erases(life.log_records(), SLOTS, LOG_PAGES),
    )


def store_erases(changes: int, values: int, slots: int, pages: int) -> int:
    """Return how often each page of the store is erased.

    Args:
        changes: `Life.changes`.
        values: how many of them are not zero: each is written again on every page.
        slots: records in a page.
        pages: in the ring.
    """
    # The change that finds a page full is among the values of the next.
    return _up(changes, (slots - store.PAGE_MARKS - values + 1) * pages)


def log_erases(records: int, slots: int, pages: int) -> int:
    """Return how often each page of the log is erased (``records``: `Life.log_records`)."""
    return _up(records, (slots - _LOG_MARKS) * pages)


def _up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
