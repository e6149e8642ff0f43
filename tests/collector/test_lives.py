"""Thirty days of real units over a bad radio: nothing is lost, and what is called measured is true.

The radio loses nine telegrams of ten, delays by up to 5 s, repeats and reorders. The crystal is off
by 50 ppm, and by what the temperature adds.
"""

from __future__ import annotations

import pytest

from collector import PulseStatus
from tests.collector.frames import SERIAL
from tests.collector.lives import DAY_MS, HOUR_MS, START_MS, Life, is_measured

DAYS = 30
RADIO = {"loss": 0.9, "duplicate": 0.3, "reorder": 0.1}
QUIET_DAYS = 5

seeds = pytest.mark.parametrize(
    "seed", [*range(3), *[pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 100)]]
)


def _live_with_restarts(life: Life, contacts_ms: list[int]) -> None:
    restarts_ms = [START_MS + life.rng.randint(2 * DAY_MS, 28 * DAY_MS) for _ in range(2)]
    happenings = [(at_ms, life.reboot) for at_ms in restarts_ms]
    happenings += [(at_ms, life.contact) for at_ms in contacts_ms]
    for at_ms, happen in sorted(happenings, key=lambda happening: happening[0]):
        life.live(at_ms)
        happen()
    life.live(life.end_ms)


def _contact_daily(life: Life, first_day: int, last_day: int) -> list[int]:
    """Somebody is near at about the same hour of each day, and after the pairing."""
    hour_ms = life.rng.randint(HOUR_MS, DAY_MS - HOUR_MS)
    days_ms = range(START_MS + first_day * DAY_MS, START_MS + last_day * DAY_MS, DAY_MS)
    return [at_ms + hour_ms + life.rng.randint(-HOUR_MS, HOUR_MS) for at_ms in days_ms]


def _is_unknowable(life: Life, boundary_ms: int) -> bool:
    """Whether nothing that a unit has ever told or kept gives the count at a boundary.

    The newest entries of a log wait for the third, and are lost with the power: from the last that
    was kept to the restart only the counts at both are known. From there until it is told the
    phase its ticks are anywhere, up to half an hour from the boundary on either side. Only where
    gas flows meanwhile does that matter.
    """
    for kept_ms, restart_ms in life.restarts:
        phased_ms = min(at_ms for at_ms in life.contacts_ms if at_ms > restart_ms)
        if kept_ms < boundary_ms <= restart_ms and life.flows_between(kept_ms, restart_ms):
            return True
        half_hour_ms = HOUR_MS // 2
        nearest_ms = boundary_ms - half_hour_ms, boundary_ms + half_hour_ms
        if restart_ms < boundary_ms <= phased_ms and life.flows_between(*nearest_ms):
            return True
    return False


@seeds
def test_with_a_contact_a_day_all_is_measured(seed: int) -> None:
    """The register is exact, every row true, and measured where the unit knows it at all."""
    life = Life(seed, DAYS, is_log_readable=True, **RADIO)
    _live_with_restarts(life, [START_MS + 1000, *_contact_daily(life, 0, DAYS)])
    life.contact()
    assert 2 == len(life.restarts)
    assert life.turned(life.now_ms) == life.collector.register(SERIAL)
    assert [] == life.refuted()
    rows = life.rows()[:-1]  # the last one's end is now
    unmeasured = [row.start_s * 1000 for row in rows if not is_measured(row)]
    assert [] == [
        start_ms
        for start_ms in unmeasured
        if not _is_unknowable(life, start_ms) and not _is_unknowable(life, start_ms + HOUR_MS // 2)
    ]
    assert len(unmeasured) < 60


@seeds
def test_one_way_is_exact_and_honest(seed: int) -> None:
    """Never told the phase, a unit has every pulse in the register, and no row falsely measured."""
    life = Life(seed, DAYS, **RADIO)
    _live_with_restarts(life, [])
    life.contact()  # for its telegram alone
    assert life.turned(life.now_ms) == life.collector.register(SERIAL)
    assert [] == life.refuted()
    rows = life.rows()
    assert {0, 1, 2} >= {int(row.status) for row in rows}
    assert DAYS * 48 // 2 < sum(map(is_measured, rows)) < DAYS * 48


@seeds
@pytest.mark.parametrize("reads_log", [True, False])
def test_five_days_of_silence(seed: int, reads_log: bool) -> None:
    """Rows of a silence are pending, then measured if the log is read, else interpolated.

    No pulse is lost either way.
    """
    life = Life(seed, DAYS // 2, is_log_readable=reads_log, **RADIO)
    for at_ms in [START_MS + 1000, *_contact_daily(life, 0, 6)]:
        life.live(at_ms)
        life.contact()
    quiet_ms = life.now_ms
    life.is_radio_dead = True
    life.live(quiet_ms + QUIET_DAYS * DAY_MS)
    quiet = slice((quiet_ms - START_MS) // (HOUR_MS // 2), None)
    assert {int(PulseStatus.PENDING)} == {int(row.status) for row in life.rows()[quiet]}
    assert {None} == {row.pulses for row in life.rows()[quiet]}
    life.is_radio_dead = False
    life.contact(reads_log=reads_log)
    assert life.turned(life.now_ms) == life.collector.register(SERIAL)
    assert [] == life.refuted()
    rows = life.rows()
    assert sum(row.pulses or 0 for row in rows[:-1]) <= life.collector.register(SERIAL)
    unmeasured = [row for row in rows[:-1] if not is_measured(row)]
    if reads_log:
        assert [] == unmeasured
        return
    assert rows[-1].pulses is not None
    assert rows[-1] not in life.errors(60_000)  # what was turned before it is in the rows before it
    assert {True} == {bool(row.status & PulseStatus.INTERPOLATED) for row in rows[quiet][:50]}
