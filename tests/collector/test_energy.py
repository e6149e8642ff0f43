from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import PulseHalfHour, PulseStatus
from collector.energy import GasEnergy, calorific_value, correction_factor
from collector.errors import CalorificValueError
from collector.segments import Segment, VolumeRow, volume_rows
from shared.errors import UnitsError
from shared.timegrid import half_hours_of_settlement_day, unix_s
from shared.units import PULSE_1_FT3, PULSE_10_L, PulseWeight
from tests.collector.bench import MPRN, meter
from tests.collector.frames import START, at

DAY = date(2026, 3, 29)  # 46 half-hours
ALWAYS = {date(2000, 1, 1): Fraction("39.5")}


def row(start_s: int, pulses: int | None) -> PulseHalfHour:
    """A half-hour of pulses."""
    status = PulseStatus.PENDING if pulses is None else PulseStatus.MEASURED
    return PulseHalfHour(start_s, pulses, status, final=pulses is not None)


def day_rows(
    day: date, pulses: int | None = 1, weight: PulseWeight = PULSE_10_L
) -> list[VolumeRow]:
    """A settlement day of half-hours that are alike."""
    volume_l = None if pulses is None else weight.litres(pulses)
    return [
        VolumeRow(row(each.start_s, pulses), volume_l) for each in half_hours_of_settlement_day(day)
    ]


def segment(**changes: object) -> Segment:
    """A unit on a meter."""
    fixed = {
        "serial": "00000001",
        "channel": "gas",
        "mprn": MPRN,
        "meter_serial": "G4",
        "weight": PULSE_10_L,
        "dial": meter().dial,
        "from_utc": START,
        "from_pulses": 0,
    }
    return Segment(**(fixed | changes))


def test_a_cubic_metre() -> None:
    """Volume times correction times calorific value over 3.6, exactly."""
    energy = GasEnergy(ALWAYS)
    assert Fraction("1.02264") * Fraction("39.5") / Fraction("3.6") * 1000 == (
        energy.energy_wh(1000, START)
    )
    assert Fraction(39_500_000, 3_600) == GasEnergy(ALWAYS, Fraction(1)).energy_wh(2000, START) / 2


def test_half_hours_add_up_to_their_day() -> None:
    """Whole Wh with the residual carried, of a day of 46; the day's own residual is cut off."""
    energy = GasEnergy(ALWAYS)
    rows = energy.rows(day_rows(DAY))
    exact_wh = energy.energy_wh(460, START)
    assert 46 == len(rows)
    assert int(exact_wh) == sum(each.energy_wh for each in rows)
    assert {112, 113} == {each.energy_wh for each in rows}
    (day,) = energy.days(day_rows(DAY))
    assert (DAY, 46, 460, int(exact_wh), 0) == day


@given(
    pulses=st.lists(st.integers(0, 700) | st.none(), min_size=46, max_size=46),
    value=st.fractions(30, 45),
)
def test_no_wh_is_lost_in_a_day(pulses: list[int | None], value: Fraction) -> None:
    """Whatever the half-hours and the value, their sum is the day's energy rounded down."""
    energy = GasEnergy({date(2000, 1, 1): value})
    volumes = [
        VolumeRow(row(each.start_s, n), None if n is None else PULSE_1_FT3.litres(n))
        for each, n in zip(half_hours_of_settlement_day(DAY), pulses, strict=True)
    ]
    rows = energy.rows(volumes)
    total_l = sum((each.volume_l or Fraction(0) for each in volumes), Fraction(0))
    assert int(energy.energy_wh(total_l, START)) == sum(each.energy_wh or 0 for each in rows)
    assert [n is None for n in pulses] == [each.energy_wh is None for each in rows]


def test_values_hold_from_a_gas_day_on() -> None:
    """The gas day begins at 05:00 local time: the half-hours before it have the older value."""
    energy = GasEnergy({date(2026, 3, 1): Fraction(36), date(2026, 3, 29): Fraction(72)})
    wh = [each.energy_wh for each in energy.rows(day_rows(DAY, 1))]
    first = [wh[n] for n in (0, 7, 8, 45)]  # 05:00 BST is the ninth half-hour of 46
    assert [102, 103, 204, 205] == first
    with pytest.raises(CalorificValueError, match="2026-02-28"):
        energy.value_of(date(2026, 2, 28))


def test_energy_before_the_first_value_is_not_known() -> None:
    """Volume is there, and energy is null rather than a guess."""
    energy = GasEnergy({date(2026, 3, 29): Fraction(36)})
    rows = energy.rows(day_rows(DAY))
    assert [None] * 8 == [each.energy_wh for each in rows[:8]]
    assert rows[8].energy_wh is not None
    (day,) = energy.days(day_rows(DAY))
    assert (460, None) == (day.volume_l, day.energy_wh)
    assert [None] * 46 == [each.energy_wh for each in GasEnergy({}).rows(day_rows(DAY))]


def test_pending_half_hours() -> None:
    """They have neither volume nor energy, and a day counts them."""
    (day,) = GasEnergy(ALWAYS).days(day_rows(DAY, None))
    assert (0, 0, 0, 46) == (day.pulses, day.volume_l, day.energy_wh, day.pending)


def test_a_bill_by_the_regulations() -> None:
    """The average of the gas days' values, less than 0.1 ignored, times the converted volume."""
    values = {date(2026, 3, 28): Fraction("39.19"), date(2026, 3, 29): Fraction("39.4")}
    energy = GasEnergy(values)
    volumes = day_rows(date(2026, 3, 28)) + day_rows(DAY) + day_rows(date(2026, 3, 30))
    bill = energy.bill(volumes, date(2026, 3, 28), date(2026, 3, 29))
    # 05:00 GMT on the 28th to 05:00 BST on the 30th: 47 hours
    assert (940, Fraction("39.2")) == (bill.volume_l, bill.calorific_value_mj_m3)
    assert Fraction(940) * Fraction("1.02264") * Fraction("39.2") / Fraction("3.6") == (
        bill.energy_wh
    )


def test_a_bill_needs_everything() -> None:
    """A day without a value, a pending half-hour, no day at all."""
    energy = GasEnergy(ALWAYS)
    with pytest.raises(CalorificValueError, match="pending"):
        energy.bill(day_rows(DAY, None), DAY, DAY)
    with pytest.raises(CalorificValueError, match="no gas day"):
        energy.bill([], DAY, date(2026, 3, 28))
    with pytest.raises(CalorificValueError, match="known"):
        GasEnergy({}).bill([], DAY, DAY)


@pytest.mark.parametrize("text", ["11.2", "395", "0", "-39.5"])
def test_values_that_no_gas_has(text: str) -> None:
    """Kilowatt-hours for megajoules, a lost point."""
    with pytest.raises(CalorificValueError):
        calorific_value(text)


def test_numbers() -> None:
    """What is typed is exact; what is no number is refused."""
    assert Fraction("39.5") == calorific_value("39.5")
    assert Fraction("1.02264") == correction_factor("1.02264")
    with pytest.raises(UnitsError):
        calorific_value("39,5")
    with pytest.raises(CalorificValueError):
        correction_factor("102264")


def test_pulses_between_two_pairings_are_nobodys() -> None:
    """A half-hour in which a unit was unpaired, shaken and paired again has its own pulses only."""
    segments = [
        segment(to_utc=at(600), to_pulses=12),
        segment(from_utc=at(1200), from_pulses=20, weight=PULSE_1_FT3),
    ]
    start_s = unix_s(START)
    found = volume_rows(segments, [row(start_s, 15), row(start_s + 1800, 10)], 10)
    cubic_foot = Fraction("28.316846592")
    assert [2 + 5, 10] == [each.row.pulses for each in found]
    assert [20 + 5 * cubic_foot, 10 * cubic_foot] == [each.volume_l for each in found]
    pending = volume_rows(segments, [row(start_s, None)], 10)
    assert [None] == [each.volume_l for each in pending]


@given(
    cuts=st.lists(st.integers(0, 300), min_size=4, max_size=4), rows=st.lists(st.integers(0, 40))
)
def test_rows_are_the_register(cuts: list[int], rows: list[int]) -> None:
    """Whatever the segments, the volumes of all half-hours add up to the channel's register."""
    a, b, c, d = sorted(cuts)
    segments = [
        segment(from_pulses=a, to_pulses=b, to_utc=at(1)),
        segment(from_pulses=c, to_pulses=d, to_utc=at(2), weight=PULSE_1_FT3),
        segment(from_pulses=d),
    ]
    register = sum(rows)
    halves = [row(unix_s(START) + 1800 * n, pulses) for n, pulses in enumerate(rows)]
    found = volume_rows(segments, halves, 0)
    expected = sum(
        (each.weight.litres(each.pulses_between(0, register)) for each in segments), Fraction(0)
    )
    assert expected == sum((each.volume_l or 0 for each in found), Fraction(0))
