"""Cyclic counts to pulses since the pairing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.advance import Advance, CountKind
from tests.collector.frames import key

_TOP = 1 << 32


def _advance(base: int, *counts: int) -> Advance:
    advance = Advance(base)
    for counter, count in enumerate(counts):
        advance.add(key(counter), count)
    return advance


def test_count_wraps() -> None:
    """The count's wrap is an advance like any other."""
    assert 7 == _advance(_TOP - 3, _TOP - 1, 4).total


def test_late_telegram_takes_its_place() -> None:
    """A telegram that comes late changes nothing that was sent after it."""
    advance = _advance(0)
    advance.add(key(5), 50)
    assert not advance.add(key(3), 30)
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


@given(st.data())
def test_order_of_hearing_does_not_matter(data: st.DataObject) -> None:
    """Whatever the counts, the same telegrams give the same pulses in any order of hearing."""
    counts = data.draw(st.lists(st.integers(0, 9) | st.integers(_TOP - 9, _TOP - 1), max_size=8))
    in_order = _advance(3, *counts)
    shuffled = Advance(3)
    for counter in data.draw(st.permutations(range(len(counts)))):
        shuffled.add(key(counter), counts[counter])
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
