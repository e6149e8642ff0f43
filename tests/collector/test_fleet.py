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


def _judge(window: ReplayWindow, counter: int, boot: int = 1) -> Freshness:
    return window.judge(boot, counter).freshness


def test_window_is_4096() -> None:
    """Within 4096 of the newest an unseen telegram is welcome in any order; behind it is old."""
    window = ReplayWindow()
    window.accept(key(10_000))
    assert Freshness.SEEN is _judge(window, 10_000)
    assert Freshness.UNSEEN is _judge(window, 10_000 - WINDOW + 1)
    assert Freshness.TOO_OLD is _judge(window, 10_000 - WINDOW)
    assert Freshness.UNSEEN is _judge(window, 1_000_000)


@pytest.mark.parametrize("boot", [0, 3, 65_535])
def test_counter_alone_is_the_order(boot: int) -> None:
    """Whatever the boot, what is ahead of the newest is new and what is far behind it is old."""
    window = ReplayWindow([key(5000, boot=3)])
    assert Freshness.UNSEEN is _judge(window, 5001, boot)
    assert Freshness.UNSEEN is _judge(window, 4999, boot)
    assert Freshness.SEEN is _judge(window, 5000, boot)
    assert Freshness.TOO_OLD is _judge(window, 5000 - WINDOW, boot)


def test_boot_is_counted_on_through_its_wrap() -> None:
    """Boots get numbers in the order of the message counters, whichever is heard first."""
    window = ReplayWindow([key(500, boot=65_535)])
    assert key(501, boot=65_536) == window.judge(0, 501).key
    assert key(499, boot=65_534) == window.judge(65_534, 499).key
    window.accept(key(900, boot=65_537))
    assert key(501, boot=65_536) == window.judge(0, 501).key
    assert key(901, boot=65_537) == window.judge(1, 901).key
    assert key(3, boot=-1) == ReplayWindow([key(5, boot=0)]).judge(65_535, 3).key


def test_boot_between_others_is_no_other() -> None:
    """What was sent between two telegrams of one boot cannot be of another."""
    window = ReplayWindow([key(500, boot=3), key(600, boot=3)])
    assert Freshness.UNSEEN is _judge(window, 550, 3)
    assert Freshness.TOO_OLD is _judge(window, 550, 2)
    assert Freshness.TOO_OLD is _judge(window, 550, 4)


_COUNTERS = st.sampled_from([0, 1, 2, 1000, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 3 * WINDOW])
_BOOTS = st.sampled_from([65_534, 65_535, 0, 1])


@given(st.lists(st.tuples(_BOOTS, _COUNTERS), max_size=40))
def test_nothing_is_accepted_twice(keys: list[tuple[int, int]]) -> None:
    """However telegrams come, each is fresh at most once, also after a restart in between."""
    window = ReplayWindow()
    accepted: set[TelegramKey] = set()
    for place, (boot, counter) in enumerate(keys):
        if place % 7 == 6:
            window = ReplayWindow(accepted)
        judged = window.judge(boot, counter)
        if judged.freshness is Freshness.UNSEEN:
            assert counter not in {known.counter for known in accepted}
            accepted.add(judged.key)
            assert sorted(accepted) == sorted(accepted, key=lambda known: known.counter)
            window.accept(judged.key)


def test_what_was_forgotten_is_old_for_ever() -> None:
    """A boot whose counter begins anew is refused, and brings no forgotten telegram back."""
    window = ReplayWindow([key(5000)])
    window.accept(key(10_000))
    window._forget()
    assert Freshness.TOO_OLD is _judge(window, 5500, boot=2)
    assert Freshness.SEEN is _judge(window, 5000)
    assert Freshness.TOO_OLD is _judge(window, 4999)
    assert Freshness.UNSEEN is _judge(window, 9999)


def test_window_stays_small() -> None:
    """A hundred thousand telegrams leave no more than two windows' worth in memory."""
    window = ReplayWindow()
    for counter in range(0, 100_000, 3):
        window.accept(key(counter))
    assert WINDOW // 3 <= len(window) <= 2 * WINDOW


def test_pairing_knows_what_came_before_it() -> None:
    """The telegram that the pairing heard is a replay, and what is far behind it is old."""
    unit = FleetUnit(record(base_key=key(9000)))
    assert Freshness.SEEN is _judge(unit.window, 9000)
    assert Freshness.TOO_OLD is _judge(unit.window, 9000 - WINDOW)


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
