"""Gas volume as energy: dated calorific values, a correction, kWh of half-hours, days and bills.

Volume is what is stored; energy is computed from it whenever it is asked for, exactly, so that a
calorific value that becomes known late, or is corrected, changes no register (docs/collector.md).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from shared.timegrid import from_unix_s, gas_day, settlement_period
from shared.units import GAS_CORRECTION, exact_decimal, gas_energy_wh

from .errors import CalorificValueError
from .segments import VolumeRow

_MJ_M3_MIN: Final = 20
_MJ_M3_MAX: Final = 120
_CORRECTION_MIN: Final = Fraction(1, 2)
_CORRECTION_MAX: Final = 4
_DAY: Final = timedelta(days=1)


class EnergyRow(NamedTuple):
    """A half-hour of a channel with its energy.

    Attributes:
        volume: its pulses and their volume.
        energy_wh: whole Wh; what a half-hour has beyond them is in the next one of the same
            settlement day. None while pending, and where no calorific value is known.
    """

    volume: VolumeRow
    energy_wh: int | None


class EnergyDay(NamedTuple):
    """A settlement day of a channel.

    Attributes:
        day: its date.
        pulses: of the half-hours that are known.
        volume_l: their volume in litres, exactly.
        energy_wh: the sum of its half-hours'; None where no calorific value is known.
        pending: how many half-hours are not known yet.
    """

    day: date
    pulses: int
    volume_l: Fraction
    energy_wh: int | None
    pending: int


@dataclass(frozen=True, slots=True)
class Bill:
    """Energy as a supplier charges for it (Gas (Calculation of Thermal Energy) Regulations 1996).

    Attributes:
        volume_l: metered volume of the period in litres, exactly.
        calorific_value_mj_m3: the average of its gas days, what is less than 0.1 ignored (3(2)).
        energy_wh: converted volume times that average, in Wh, exactly.
    """

    volume_l: Fraction
    calorific_value_mj_m3: Fraction
    energy_wh: Fraction


def calorific_value(text: str) -> Fraction:
    """A calorific value in MJ/m3 as it was typed.

    Raises:
        CalorificValueError: no fuel gas has it.
        UnitsError: it is no number.
    """
    mj_m3 = exact_decimal(text)
    if not _MJ_M3_MIN <= mj_m3 <= _MJ_M3_MAX:
        raise CalorificValueError(
            f"{text} is no calorific value in MJ/m3: natural gas has 37 to 44, propane 93"
        )
    return mj_m3


def correction_factor(text: str) -> Fraction:
    """A factor from metered to standard volume as it was typed.

    Raises:
        CalorificValueError: no supply has it.
        UnitsError: it is no number.
    """
    factor = exact_decimal(text)
    if not _CORRECTION_MIN <= factor <= _CORRECTION_MAX:
        raise CalorificValueError(f"{text} is no correction; a house's is 1.02264")
    return factor


class GasEnergy:
    """What a volume of gas is worth.

    Args:
        values: calorific values in MJ/m3 by the gas day from which they hold.
        correction: from metered to standard volume; of houses 1.02264 if left out.
    """

    def __init__(self, values: Mapping[date, Fraction], correction: Fraction | None = None) -> None:
        self._days = sorted(values)
        self._values = dict(values)
        self.correction = GAS_CORRECTION if correction is None else correction

    def value_of(self, day: date) -> Fraction:
        """The calorific value of a gas day, in MJ/m3.

        Raises:
            CalorificValueError: none is known for so early a day.
        """
        place = bisect_right(self._days, day)
        if not place:
            raise CalorificValueError(f"no calorific value is known for the gas day {day}")
        return self._values[self._days[place - 1]]

    def energy_wh(self, volume_l: Fraction | int, at: datetime) -> Fraction:
        """The energy of a volume that passed at an instant, in Wh, exactly.

        Raises:
            CalorificValueError: no calorific value is known for its gas day.
        """
        return gas_energy_wh(volume_l, self.value_of(gas_day(at)), self.correction)

    def rows(self, volumes: Iterable[VolumeRow]) -> list[EnergyRow]:
        """Half-hours with their energy, in whole Wh that add up to the day's.

        Args:
            volumes: in order of time; a settlement day is complete from its start on.
        """
        found = []
        day, carried_wh = None, Fraction(0)
        for volume in volumes:
            start = from_unix_s(volume.row.start_s)
            if settlement_period(start).settlement_date != day:
                day, carried_wh = settlement_period(start).settlement_date, Fraction(0)
            energy_wh = None
            if volume.volume_l is not None and self._is_known(start):
                carried_wh += self.energy_wh(volume.volume_l, start)
                energy_wh = carried_wh.numerator // carried_wh.denominator
                carried_wh -= energy_wh
            found.append(EnergyRow(volume, energy_wh))
        return found

    def days(self, volumes: Iterable[VolumeRow]) -> list[EnergyDay]:
        """Settlement days with their energy; arguments as of `rows`."""
        by_day: dict[date, list[EnergyRow]] = {}
        for row in self.rows(volumes):
            start = from_unix_s(row.volume.row.start_s)
            by_day.setdefault(settlement_period(start).settlement_date, []).append(row)
        return [_summed(day, rows) for day, rows in by_day.items()]

    def bill(self, volumes: Iterable[VolumeRow], first: date, last: date) -> Bill:
        """What a supplier charges for, from one gas day to another, both included.

        Args:
            volumes: half-hours; those of other gas days are left out.
            first: the first gas day of the period.
            last: the last one.

        Raises:
            CalorificValueError: no value is known for one of the days, a half-hour is pending, or
                there is no day in the period.
        """
        days = [first + n * _DAY for n in range((last - first).days + 1)]
        if not days:
            raise CalorificValueError(f"there is no gas day from {first} to {last}")
        average = sum((self.value_of(day) for day in days), Fraction(0)) / len(days)
        charged = Fraction(average * 10 // 1, 10)
        volume_l = Fraction(0)
        for each in volumes:
            if first <= gas_day(from_unix_s(each.row.start_s)) <= last:
                if each.volume_l is None:
                    start = from_unix_s(each.row.start_s)
                    raise CalorificValueError(
                        f"the half-hour from {start:%Y-%m-%d %H:%MZ} is pending"
                    )
                volume_l += each.volume_l
        return Bill(volume_l, charged, gas_energy_wh(volume_l, charged, self.correction))

    def _is_known(self, at: datetime) -> bool:
        return bool(self._days) and self._days[0] <= gas_day(at)


def _summed(day: date, rows: list[EnergyRow]) -> EnergyDay:
    known = [row for row in rows if row.volume.volume_l is not None]
    energies = [row.energy_wh for row in known]
    return EnergyDay(
        day=day,
        pulses=sum(row.volume.row.pulses or 0 for row in known),
        volume_l=sum((row.volume.volume_l or Fraction(0) for row in known), Fraction(0)),
        energy_wh=None if None in energies else sum(each or 0 for each in energies),
        pending=len(rows) - len(known),
    )
