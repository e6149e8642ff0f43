"""How much of the battery is left, by adding up what each thing costs. Integers throughout."""

from pulse_unit.config import BatteryFigures
from pulse_unit.errors import StoreError
from pulse_unit.store import CHARGE_C, Store
from shared.wire.grid import DAY_S

_NC_PER_C = 1_000_000_000
_LEFT_MAX_D = 0xFFFE


class ChargeLedger:
    """What has been taken from the battery since it was new.

    Whole coulombs are persisted before they are used: a loss of power never gains charge, and
    20 years cost some 10,000 writes.
    """

    def __init__(self, store: Store, figures: BatteryFigures, telegrams_per_day: int) -> None:
        self._store = store
        self._figures = figures
        self._unbooked_nc = 0  # below the coulombs that are persisted
        self._until_s = 0
        self._day_nc = (
            figures.rest_na * DAY_S
            + figures.telegram_nc * telegrams_per_day
            + figures.pulse_nc * figures.pulses_per_day
        )

    @property
    def left_d(self) -> int:
        """Days left at the rate that the figures describe; 0 when empty."""
        left_c = self._figures.usable_c - self._store.get(CHARGE_C)
        return max(0, min(_LEFT_MAX_D, left_c * _NC_PER_C // self._day_nc))

    def rest(self, uptime_s: int) -> None:
        """Book the current that always flows, up to ``uptime_s``."""
        elapsed_s = uptime_s - self._until_s
        self._until_s = uptime_s
        self._book(elapsed_s * self._figures.rest_na)

    def pulse(self) -> None:
        """Book a pulse: its edges and its write."""
        self._book(self._figures.pulse_nc)

    def telegram(self) -> None:
        """Book a telegram, its cryptography and its reply window."""
        self._book(self._figures.telegram_nc)

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
