from __future__ import annotations

import pytest

from elec_meter.addons.limits import USUAL, Limits
from elec_meter.addons.power import BUSY_MA, IDLE_MA, PowerAccount, VirtualSensor
from elec_meter.addons.supervision import Cause, Power, Supervision
from elec_meter.addons.throttle import Throttle

SECOND_US = 1_000_000


def failing(cause: Cause, times: int, limits: Limits = USUAL) -> list[float]:
    """The pauses after failures that follow each start at once."""
    supervision, at_s, pauses = Supervision(limits, 0.0), 0.0, []
    for _ in range(times):
        supervision.switched_on(at_s)
        supervision.switched_off(cause, at_s)
        pauses.append(supervision.pause_s(at_s))
        at_s += pauses[-1]
    return pauses


def test_pauses_grow_to_their_limit() -> None:
    """A crashing module is tried again ever more rarely, but for ever."""
    assert [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] == failing(Cause.ENDED, 11)
    assert 300 == failing(Cause.SILENT, 5_000)[-1]


def test_what_took_too_much_is_cut_for_longer() -> None:
    """Over its budget or flooding: a minute at first, an hour in the end."""
    assert [60, 120, 240, 480, 960, 1_920, 3_600, 3_600] == failing(Cause.OVER_BUDGET, 8)
    assert failing(Cause.FLOODED, 8) == failing(Cause.OVER_BUDGET, 8)


def test_a_module_that_ran_well_begins_again() -> None:
    """After ten good minutes its next failure is news and its pause the shortest."""
    supervision = Supervision(USUAL, 0.0)
    supervision.switched_on(0.0)
    assert supervision.switched_off(Cause.ENDED, 1.0)
    supervision.switched_on(2.0)
    assert not supervision.switched_off(Cause.ENDED, 3.0)
    supervision.switched_on(5.0)
    assert not supervision.has_recovered(604.0)
    assert supervision.has_recovered(605.0)
    assert not supervision.has_recovered(606.0)
    assert supervision.switched_off(Cause.ENDED, 607.0)
    assert 1.0 == supervision.pause_s(607.0)
    assert Power.PAUSED is supervision.power
    assert 3 == supervision.starts


def test_another_cause_is_news() -> None:
    """A log that has the crash is told of the cut too."""
    supervision = Supervision(USUAL, 0.0)
    supervision.switched_on(0.0)
    assert supervision.switched_off(Cause.ENDED, 1.0)
    assert supervision.switched_off(Cause.OVER_BUDGET, 2.0)
    assert Power.CUT is supervision.power


def test_silence_is_a_hang() -> None:
    """Asking resets it; a module that is off is not silent."""
    supervision = Supervision(USUAL, 0.0)
    assert not supervision.is_silent(1_000.0)
    supervision.switched_on(1_000.0)
    supervision.heard(1_060.0)
    assert not supervision.is_silent(1_179.0)
    assert supervision.is_silent(1_180.0)


@pytest.mark.parametrize(("share_pc", "exceeded"), [(0, False), (45, False), (50, True)])
def test_the_budget_is_kept_on_average(share_pc: int, exceeded: bool) -> None:
    """100 mA are 48 % of a processor: what works more than that for a whole window is too much."""
    sensor = VirtualSensor()
    account = PowerAccount(100, USUAL, sensor, 0.0)
    for second in range(1, 121):
        sensor.work_us += share_pc * SECOND_US // 100
        account.measure(float(second))
    assert exceeded is account.is_exceeded
    assert 120 * (IDLE_MA * 100 + share_pc * (BUSY_MA - IDLE_MA)) // 100 == account.charge_mas


def test_a_start_may_take_more() -> None:
    """Five seconds of full work and then none are no reason to cut anything off."""
    sensor = VirtualSensor()
    account = PowerAccount(100, USUAL, sensor, 0.0)
    for second in range(1, 61):
        sensor.work_us += SECOND_US if second <= 5 else 0
        account.measure(float(second))
        assert not account.is_exceeded
    assert IDLE_MA == account.average_ma


def test_a_module_that_asks_now_and_then_never_waits() -> None:
    """A readout of a kilobyte a second, for an hour."""
    throttle = Throttle(USUAL, 0.0)
    for second in range(3_600):
        throttle.spend(1_024, float(second))
        assert 0.0 == throttle.wait_s(float(second))
        assert not throttle.is_flooded(float(second))


def test_a_flood_waits_and_is_cut() -> None:
    """Whoever goes on as fast as it is let gets the stated rate, and nothing in the end."""
    throttle, at_s, octets = Throttle(USUAL, 0.0), 0.0, 0
    while not throttle.is_flooded(at_s):
        throttle.spend(1_024, at_s)
        octets += 1_024
        at_s += throttle.wait_s(at_s) + 0.001
        assert at_s < 60.0
    assert octets <= USUAL.burst_bytes + USUAL.rate_bytes_per_s * (at_s + 1)


def test_a_burst_is_no_flood() -> None:
    """A hundred kilobytes at once, then a kilobyte a second: it waits once and goes on."""
    throttle = Throttle(USUAL, 0.0)
    throttle.spend(100_000, 0.0)
    assert 4.0 < throttle.wait_s(0.0) < 5.0
    for second in range(5, 120):
        throttle.spend(1_024, float(second))
        assert not throttle.is_flooded(float(second))
