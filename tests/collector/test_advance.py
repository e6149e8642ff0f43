"""Cyclic counts to pulses since the pairing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.advance import Advance, CountKind, Heard
from collector.entries import Pairing, TelegramKey
from tests.collector.frames import key

_TOP = 1 << 32


_DAY_S = 86_400


def _add(advance: Advance, place: TelegramKey, count: int, after_s: int) -> bool:
    """Hear a telegram of a unit that was paired at 0, and booted then."""
    return advance.add(Heard(place, count, after_s, after_s * 1000))


def _advance(base: int, *counts: int) -> Advance:
    """One a day, of a meter that turns 10 pulses in half an hour."""
    advance = Advance(Pairing(0, base, 10))
    for counter, count in enumerate(counts):
        _add(advance, key(counter), count, (counter + 1) * _DAY_S)
    return advance


def test_count_wraps() -> None:
    """The count's wrap is an advance like any other."""
    assert 7 == _advance(_TOP - 3, _TOP - 1, 4).total


def test_late_telegram_takes_its_place() -> None:
    """A telegram that comes late changes nothing that was sent after it."""
    advance = _advance(0)
    _add(advance, key(5), 50, 5)
    assert not _add(advance, key(3), 30, 3)
    assert 50 == advance.total
    assert (30, CountKind.COUNTED) == advance.at(key(3))


def test_telegram_from_before_the_pairing_counts_nothing() -> None:
    """A count behind the base, with nothing counted yet, was sent before the pairing."""
    advance = _advance(100, 98, 103)
    assert (0, CountKind.EARLY) == advance.at(key(0))
    assert 3 == advance.total


def test_rollback_adds_nothing_and_counting_goes_on() -> None:
    """After a count that fell the register stays, and what is counted from there is added."""
    advance = _advance(0, 10, 5, 8)
    assert (10, CountKind.ROLLED_BACK) == advance.at(key(1))
    assert 13 == advance.total


@pytest.mark.parametrize("placeholder", [0, _TOP - 1])
def test_placeholder_is_no_data(placeholder: int) -> None:
    """All zeros or all ones where no wrap brings them are passed over."""
    advance = _advance(5, 10, placeholder, 12)
    assert (5, CountKind.PLACEHOLDER) == advance.at(key(1))
    assert 7 == advance.total


def test_zero_after_all_but_a_wrap_is_data() -> None:
    """Zero is a reading where the count has just come round to it."""
    assert 6 == _advance(_TOP - 6, _TOP - 1, 0).total


@pytest.mark.parametrize("base", [0, (1 << 31) - 1, (1 << 31) + 10, _TOP - 60_000])
@pytest.mark.parametrize("placeholder", [0, _TOP - 1])
def test_placeholder_that_no_meter_could_turn_to_is_no_data(base: int, placeholder: int) -> None:
    """Zero or all ones so soon, and so far ahead, is no wrap: the register stays."""
    advance = _advance(base, base)
    _add(advance, key(1), placeholder, _DAY_S + 100)
    _add(advance, key(2), base + 3, _DAY_S + 200)
    assert 3 == advance.total


@pytest.mark.parametrize(("boot", "total"), [(1, 0), (2, 50_000)])
def test_wrap_is_judged_by_what_may_have_been_turned_since(boot: int, total: int) -> None:
    """Within a boot that is since the telegram before; else it may have been since the pairing."""
    advance = _advance(_TOP - 50_000, *[_TOP - 50_000] * 100)
    after_s = 100 * _DAY_S + 900
    _add(advance, key(200, boot=boot), 0, after_s)
    assert total == advance.total


@given(st.data())
def test_order_of_hearing_does_not_matter(data: st.DataObject) -> None:
    """Whatever the counts, the same telegrams give the same pulses in any order of hearing."""
    counts = data.draw(st.lists(st.integers(0, 9) | st.integers(_TOP - 9, _TOP - 1), max_size=8))
    in_order = _advance(3, *counts)
    shuffled = Advance(Pairing(0, 3, 10))
    for counter in data.draw(st.permutations(range(len(counts)))):
        _add(shuffled, key(counter), counts[counter], (counter + 1) * _DAY_S)
    assert in_order.total == shuffled.total
    for counter in range(len(counts)):
        assert in_order.at(key(counter)).pulses == shuffled.at(key(counter)).pulses


@given(st.lists(st.integers(0, 1000), max_size=30), st.integers(0, _TOP - 1))
def test_total_is_what_was_turned(turned: list[int], base: int) -> None:
    """With a sound unit the total is every pulse since the base, across any wrap."""
    counts, count = [], base
    for pulses in turned:
        count = (count + pulses) % _TOP
        counts.append(count)
    kinds = _advance(base, *counts)
    # A count that stands at all ones or zeros is told apart only by where it comes from.
    assert sum(turned) == kinds.total
