"""How much of the battery is left, by adding up what each thing costs. Integers throughout.

One list of terms says what a day costs; the ledger books, and `pulse-unit battery` prints, nothing
but these terms.
"""

from pulse_unit.errors import ConfigError, StoreError
from pulse_unit.store import CHARGE_C, KEY_COUNT, PAGE_MARKS, Store
from shared.wire.grid import DAY_S

# What a term is counted by.
PER_SECOND = 0
PER_WAKE = 1
PER_PULSE = 2
PER_RECORD = 3
PER_SAMPLE = 4
PER_ADVERT = 5
PER_WINDOW = 6
PER_TELEGRAM = 7
_COUNTS = 8

EDGES_PER_PULSE = 14  # bounce at both ends, as `pulse_unit.hal.simulated_reed` simulates it
TICKS_PER_DAY = 48
# Changes that fit a page of the store, of 4 KiB: the one that finds it full opens the next.
RECORDS_PER_PAGE = 512 - PAGE_MARKS - KEY_COUNT + 1
USABLE_PERCENT = 85  # of a Li-SOCl2 cell
SELF_DISCHARGE_PERMILLE = 10
SAMPLE_INTERVAL_MS = 750  # between looks at a parked reed, with 10 litres a pulse at 6 m3/h

_NC_PER_C = 1_000_000_000
_LEFT_MAX_D = 0xFFFE
_HOURS_PER_YEAR = 8_766


class BatteryFigures:
    """What a board takes from its battery, and what there is: charges in nC, currents in nA.

    Args:
        capacity_mah: nominal capacity of the cell.
        usable_percent: how much of it the unit gets out.
        self_discharge_permille: of the nominal capacity, in a year.
        sleep_na: asleep, with clock and memory kept.
        supply_na: the regulator's own current and its capacitors' leakage.
        line_na: tamper loop, and a wired line's transceiver if it takes any.
        wake_nc: waking up for an edge or a timer, and going back to sleep.
        pulse_nc: both debounce timers of a pulse and its counting, besides its edges.
        write_nc: writing one record of 8 bytes.
        erase_nc: erasing one page of 4 KiB.
        pull_up_na: through the closed contact while it is watched.
        sample_nc: a look at a parked contact.
        advert_nc: an advert on three channels, and sealing it.
        window_nc: a window of connectable adverts.
        telegram_nc: a telegram of 250 bytes, and sealing it.
        listen_na: the receiver in the reply window after a telegram, on average.
        low_d: days left that raise the low battery flag.

    Attributes:
        usable_c: coulombs that the unit gets out of a new battery.
        self_discharge_na: what the cell loses by itself.
        record_nc: writing one record, with its share of erasing the page.

    Raises:
        ConfigError: for a charge or current below zero, a battery without charge, or a unit that
            takes none.
    """

    def __init__(
        self,
        *,
        capacity_mah: int,
        usable_percent: int = USABLE_PERCENT,
        self_discharge_permille: int = SELF_DISCHARGE_PERMILLE,
        sleep_na: int,
        supply_na: int = 0,
        line_na: int = 0,
        wake_nc: int = 0,
        pulse_nc: int = 0,
        write_nc: int = 0,
        erase_nc: int = 0,
        pull_up_na: int = 0,
        sample_nc: int = 0,
        advert_nc: int = 0,
        window_nc: int = 0,
        telegram_nc: int = 0,
        listen_na: int = 0,
        low_d: int = 180,
    ) -> None:
        self.usable_c = capacity_mah * 36 * usable_percent // 1_000
        self.self_discharge_na = capacity_mah * 1_000 * self_discharge_permille // _HOURS_PER_YEAR
        if self.usable_c <= 0 or not 0 < usable_percent <= 100 or sleep_na <= 0:
            raise ConfigError("a battery has a charge, and a unit takes some")
        charges = (wake_nc, pulse_nc, write_nc, erase_nc, sample_nc, advert_nc, window_nc)
        currents = (supply_na, line_na, pull_up_na, listen_na, self_discharge_permille)
        if min(charges) < 0 or min(currents) < 0 or telegram_nc < 0 or low_d < 0:
            raise ConfigError("a charge is not below zero")
        self.sleep_na = sleep_na
        self.supply_na = supply_na
        self.line_na = line_na
        self.wake_nc = wake_nc
        self.pulse_nc = pulse_nc
        self.record_nc = write_nc + (erase_nc + RECORDS_PER_PAGE - 1) // RECORDS_PER_PAGE
        self.pull_up_na = pull_up_na
        self.sample_nc = sample_nc
        self.advert_nc = advert_nc
        self.window_nc = window_nc
        self.telegram_nc = telegram_nc
        self.listen_na = listen_na
        self.low_d = low_d


class DayPlan:
    """How much of everything a day is expected to bring.

    Args:
        telegram_period_s: between telegrams; 0 for none.
        reply_window_ms: how long the receiver listens after each.
        advert_period_s: between adverts; 0 for none.
        window_period_s: between windows of connectable adverts; 0 for none.
        pulses: in a day.
        closed_s: seconds of a day that the reed rests closed.
        closing_ms: how long a closing contact is watched before it counts.
        sample_interval_ms: between two looks at a parked contact; 0 if it is never parked.

    Raises:
        ConfigError: for a number below zero or a day that is closed for longer than it lasts.
    """

    def __init__(
        self,
        *,
        telegram_period_s: int = 0,
        reply_window_ms: int = 2_000,
        advert_period_s: int = 60,
        window_period_s: int = 14_400,
        pulses: int = 667,
        closed_s: int = 25_920,
        closing_ms: int = 150,
        sample_interval_ms: int = SAMPLE_INTERVAL_MS,
    ) -> None:
        periods = (telegram_period_s, advert_period_s, window_period_s, sample_interval_ms)
        others = (reply_window_ms, pulses, closed_s, closing_ms)
        if min(periods) < 0 or min(others) < 0 or closed_s > DAY_S:
            raise ConfigError("a day's numbers are not below zero, and its seconds are 86,400")
        self.telegrams = _times(DAY_S, telegram_period_s)
        self.reply_window_ms = reply_window_ms
        self.adverts = _times(DAY_S, advert_period_s)
        self.windows = _times(DAY_S, window_period_s)
        self.pulses = pulses
        self.closed_s = closed_s
        self.closing_ms = closing_ms
        self.samples = _times(closed_s * 1_000, sample_interval_ms)


def _times(span: int, period: int) -> int:
    """Return how often a period begins in a span, rounded up; never if it is 0."""
    return (span + period - 1) // period if period else 0


class Term:
    """One thing that takes charge: ``times`` a day, ``each_nc`` every time.

    A current is a charge each second: 86,400 times a day, nanoamperes.
    """

    __slots__ = ("each_nc", "name", "per", "times")

    def __init__(self, name: str, per: int, times: int, each_nc: int) -> None:
        self.name = name
        self.per = per
        self.times = times
        self.each_nc = each_nc

    @property
    def day_nc(self) -> int:
        """What it takes in a day."""
        return self.times * self.each_nc


def daily_terms(figures: BatteryFigures, plan: DayPlan) -> "list[Term]":
    """Return all that a day costs, whether or not it costs anything with these figures."""
    wakes = plan.pulses * EDGES_PER_PULSE + TICKS_PER_DAY
    records = plan.pulses + TICKS_PER_DAY
    reply_nc = figures.listen_na * plan.reply_window_ms // 1_000
    if plan.samples:
        watched_nc = figures.pull_up_na * plan.closing_ms // 1_000
        pull_up = Term("pull-up", PER_PULSE, plan.pulses, watched_nc)
    else:  # never parked: a share of every second
        pull_up_na = figures.pull_up_na * plan.closed_s // DAY_S
        pull_up = Term("pull-up", PER_SECOND, DAY_S, pull_up_na)
    return [
        Term("self-discharge", PER_SECOND, DAY_S, figures.self_discharge_na),
        Term("sleep", PER_SECOND, DAY_S, figures.sleep_na),
        Term("supply", PER_SECOND, DAY_S, figures.supply_na),
        Term("loops and lines", PER_SECOND, DAY_S, figures.line_na),
        Term("wake-ups", PER_WAKE, wakes, figures.wake_nc),
        Term("pulses", PER_PULSE, plan.pulses, figures.pulse_nc),
        Term("memory", PER_RECORD, records, figures.record_nc),
        pull_up,
        Term("parked reed", PER_SAMPLE, plan.samples, figures.sample_nc),
        Term("adverts", PER_ADVERT, plan.adverts, figures.advert_nc),
        Term("windows", PER_WINDOW, plan.windows, figures.window_nc),
        Term("telegrams", PER_TELEGRAM, plan.telegrams, figures.telegram_nc),
        Term("reply windows", PER_TELEGRAM, plan.telegrams, reply_nc),
    ]


class ChargeLedger:
    """What has been taken from the battery since it was new.

    Whole coulombs are persisted before they are used: a loss of power never gains charge, and
    20 years cost some 10,000 writes. What is below a coulomb fits the small integers of a board,
    so that booking allocates nothing.
    """

    def __init__(self, store: Store, figures: BatteryFigures, plan: DayPlan) -> None:
        self._store = store
        self._figures = figures
        self._unbooked_nc = 0  # below the coulombs that are persisted
        self._until_s = 0
        self._samples = 0
        self._edges = 0
        self._each_nc = [0] * _COUNTS
        self._day_nc = 0
        self.replan(plan)

    def replan(self, plan: DayPlan) -> None:
        """Expect other days from now on, as after a change of the configuration."""
        each_nc = [0] * _COUNTS
        day_nc = 0
        for term in daily_terms(self._figures, plan):
            each_nc[term.per] += term.each_nc
            day_nc += term.day_nc
        self._each_nc = each_nc
        self._day_nc = day_nc

    @property
    def left_d(self) -> int:
        """Days left if they are as planned; 0 when empty, 65,534 for that or more."""
        left_c = self._figures.usable_c - self._store.get(CHARGE_C)
        return max(0, min(_LEFT_MAX_D, left_c * _NC_PER_C // self._day_nc))

    @property
    def left_percent(self) -> int:
        """How much of a new battery's charge is left, 0 to 100, rounded down."""
        left_c = self._figures.usable_c - self._store.get(CHARGE_C)
        return max(0, left_c * 100 // self._figures.usable_c)

    @property
    def is_empty(self) -> bool:
        """Whether all that the figures promise has been taken."""
        return self._store.get(CHARGE_C) >= self._figures.usable_c

    @property
    def is_low(self) -> bool:
        """Whether fewer days are left than the figures' ``low_d``."""
        return self.left_d < self._figures.low_d

    def rest(self, uptime_s: int) -> None:
        """Book the currents that always flow, up to ``uptime_s``."""
        elapsed_s = uptime_s - self._until_s
        self._until_s = uptime_s
        self._book(elapsed_s * self._each_nc[PER_SECOND])

    def edges(self, edges: int) -> None:
        """Book wake-ups by edges of the reed, of which there were so many since the boot."""
        new = edges - self._edges
        self._edges = edges
        self._book(new * self._each_nc[PER_WAKE])

    def samples(self, samples: int) -> None:
        """Book looks at a parked reed, of which there were so many since the boot."""
        new = samples - self._samples
        self._samples = samples
        self._book(new * self._each_nc[PER_SAMPLE])

    def pulse(self) -> None:
        """Book a pulse and its record, besides its edges."""
        self._book(self._each_nc[PER_PULSE] + self._each_nc[PER_RECORD])

    def tick(self) -> None:
        """Book a tick of the grid: a wake-up and a record."""
        self._book(self._each_nc[PER_WAKE] + self._each_nc[PER_RECORD])

    def advert(self) -> None:
        """Book an advert and its cryptography."""
        self._book(self._each_nc[PER_ADVERT])

    def windows(self, windows: int) -> None:
        """Book windows of connectable adverts; a longer one is several."""
        self._book(windows * self._each_nc[PER_WINDOW])

    def telegram(self) -> None:
        """Book a telegram, its cryptography and its reply window."""
        self._book(self._each_nc[PER_TELEGRAM])

    def _book(self, charge_nc: int) -> None:
        self._unbooked_nc += charge_nc
        if self._unbooked_nc < 0:
            return
        coulombs = self._unbooked_nc // _NC_PER_C + 1
        try:
            self._store.put(CHARGE_C, self._store.get(CHARGE_C) + coulombs)
        except StoreError:
            return  # tried again with the next charge
        self._unbooked_nc -= coulombs * _NC_PER_C
