"""Replay windows and pairings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import Fleet, FleetUnit, UnitPairedError, UnitRecordError
from collector.entries import TelegramKey
from collector.fleet import WINDOW, Freshness, ReplayWindow
from shared.errors import TimegridError
from shared.units import PULSE_1_FT3
from tests.collector.frames import START, key, record


def test_window_is_4096() -> None:
    """Within 4096 of the newest an unseen telegram is welcome in any order; behind it is old."""
    window = ReplayWindow()
    window.accept(key(10_000))
    assert Freshness.SEEN is window.judge(key(10_000))
    assert Freshness.UNSEEN is window.judge(key(10_000 - WINDOW + 1))
    assert Freshness.TOO_OLD is window.judge(key(10_000 - WINDOW))
    assert Freshness.UNSEEN is window.judge(key(1_000_000))


def test_later_boot_is_new_and_earlier_boot_is_behind_it() -> None:
    """A later boot is always new; an earlier one's telegrams must be near behind, not ahead."""
    window = ReplayWindow([key(500, boot=3)])
    assert Freshness.UNSEEN is window.judge(key(1, boot=4))
    assert Freshness.UNSEEN is window.judge(key(400, boot=2))
    assert Freshness.TOO_OLD is window.judge(key(501, boot=2))


_COUNTERS = st.sampled_from([0, 1, 2, 1000, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 3 * WINDOW])


@given(st.lists(st.tuples(st.integers(1, 3), _COUNTERS), max_size=40))
def test_nothing_is_accepted_twice(keys: list[tuple[int, int]]) -> None:
    """However telegrams come, each is fresh at most once, also after a restart in between."""
    window = ReplayWindow()
    accepted: set[TelegramKey] = set()
    for place, (boot, counter) in enumerate(keys):
        if place % 7 == 6:
            window = ReplayWindow(accepted)
        if window.judge(key(counter, boot)) is Freshness.UNSEEN:
            assert key(counter, boot) not in accepted
            accepted.add(key(counter, boot))
            window.accept(key(counter, boot))


def test_what_was_forgotten_is_old_for_ever() -> None:
    """A boot whose counter begins anew does not bring forgotten telegrams back."""
    window = ReplayWindow([key(5000)])
    window.accept(key(10_000))
    window._forget()
    window.accept(key(5500, boot=2))
    assert Freshness.TOO_OLD is window.judge(key(5000))


def test_window_stays_small() -> None:
    """A hundred thousand telegrams leave no more than two windows' worth in memory."""
    window = ReplayWindow()
    for counter in range(0, 100_000, 3):
        window.accept(key(counter))
    assert len(window._seen) <= 2 * WINDOW


def test_pairing_knows_what_came_before_it() -> None:
    """The telegram that the pairing heard is a replay, and what is far behind it is old."""
    unit = FleetUnit(record(base_key=key(9000)))
    assert Freshness.SEEN is unit.window.judge(key(9000))
    assert Freshness.TOO_OLD is unit.window.judge(key(9000 - WINDOW))


def test_unit_is_let_in_once() -> None:
    """A serial that is in the fleet cannot be added again."""
    fleet = Fleet([FleetUnit(record())])
    with pytest.raises(UnitPairedError, match="00000001"):
        fleet.add(FleetUnit(record()))


@pytest.mark.parametrize(
    "changes",
    [{"serial": "1"}, {"base_count": 1 << 32}, {"base_count": -1}, {"period_s": 0}],
)
def test_impossible_pairing_is_refused(changes: dict[str, object]) -> None:
    """A record that cannot be is an error when it is made."""
    with pytest.raises(UnitRecordError):
        record(**changes)


def test_pairing_time_is_aware() -> None:
    """A naive time of pairing is refused."""
    with pytest.raises(TimegridError):
        record(paired_utc=START.replace(tzinfo=None))


def test_most_pulses_follow_from_flow_and_weight() -> None:
    """6000 l/h are 600 pulses of 10 l an hour, and 211 of a cubic foot, and one for the start."""
    assert 601 == record().pulses_max(3600)
    assert 212 == record(weight=PULSE_1_FT3).pulses_max(3600)
