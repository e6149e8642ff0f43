"""Ticks in UTC: the intersection of what receptions allow."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from collector.timeline import DMS_PER_S, RATE_SPREAD_PPM, Timeline

_UTC_MS = 1_767_225_600_000

_receptions = st.lists(
    st.tuples(
        st.integers(0, 100_000),
        st.integers(-20_000, 20_000),
        st.one_of(st.none(), st.integers(0, 10_000)),
    ),
    min_size=1,
    max_size=12,
)


@given(_receptions, st.integers(-1000, 110_000))
def test_bounds_are_the_best_of_all_receptions(
    receptions: list[tuple[int, int, int | None]], tick_s: int
) -> None:
    """Both bounds of any tick are what the single receptions give, the tightest of them."""
    timeline = Timeline()
    lows, highs = [], []
    for uptime_s, skew_ms, delay_ms in receptions:
        latest_ms = _UTC_MS + uptime_s * 1000 + skew_ms
        earliest_ms = None if delay_ms is None else latest_ms - delay_ms
        timeline.add(uptime_s, earliest_ms, latest_ms)
        ahead_dms = (tick_s - uptime_s) * DMS_PER_S
        drift_dms = abs(tick_s - uptime_s) + 1
        highs.append(latest_ms * 10 + ahead_dms + drift_dms)
        if earliest_ms is not None:
            lows.append(earliest_ms * 10 + ahead_dms - DMS_PER_S - drift_dms)
    assert min(highs) == timeline.latest_dms(tick_s)
    assert (min(max(lows), *highs) if lows else None) == timeline.earliest_dms(tick_s)
    assert (bool(lows) and max(lows) > min(highs)) == timeline.is_doubtful(tick_s)


def test_drift_widens_away_from_receptions() -> None:
    """A day from the only reception, 100 ppm make 8.64 s on either side."""
    timeline = Timeline()
    timeline.add(1000, _UTC_MS, _UTC_MS)
    day_dms = 86_400 * DMS_PER_S
    assert _UTC_MS * 10 + day_dms + 86_400 + 1 == timeline.latest_dms(87_400)
    assert _UTC_MS * 10 + day_dms - 86_400 - 1 - DMS_PER_S == timeline.earliest_dms(87_400)


def test_contradiction_is_doubtful_and_keeps_what_is_sure() -> None:
    """Two receptions that cannot both be: the clock is doubtful, the later bound stays."""
    timeline = Timeline()
    timeline.add(1000, _UTC_MS - 2000, _UTC_MS)
    timeline.add(1100, _UTC_MS + 3_600_000 - 2000, _UTC_MS + 3_600_000)
    assert timeline.is_doubtful(1000)
    assert _UTC_MS * 10 + 1 == timeline.latest_dms(1000)
    assert timeline.latest_dms(1000) == timeline.earliest_dms(1000)


def test_store_and_forward_gives_an_upper_bound_only() -> None:
    """A reception with no greatest delay says nothing of when a tick was at the earliest."""
    timeline = Timeline()
    timeline.add(1000, None, _UTC_MS)
    assert timeline.earliest_dms(1000) is None
    assert not timeline.is_doubtful(1000)


@given(_receptions, st.lists(st.integers(-1000, 110_000), min_size=1, max_size=4))
def test_steady_bounds_are_the_best_of_all_rates(
    receptions: list[tuple[int, int, int | None]], ticks_s: list[int]
) -> None:
    """Both bounds of any tick are the widest that any range of rates allows, asked for at any time.

    A range that is wider by a step stands for all that lie between two steps.
    """
    timeline = Timeline()
    highs: list[tuple[int, int]] = []
    lows: list[tuple[int, int]] = []
    for place, (uptime_s, skew_ms, delay_ms) in enumerate(receptions):
        latest_ms = _UTC_MS + uptime_s * 1000 + skew_ms
        earliest_ms = None if delay_ms is None else latest_ms - delay_ms
        timeline.add(uptime_s, earliest_ms, latest_ms)
        highs.append((uptime_s, _UTC_MS * 10 + skew_ms * 10 + 1))
        if delay_ms is not None:
            lows.append((uptime_s, DMS_PER_S + 1 - (_UTC_MS + skew_ms - delay_ms) * 10))
        for tick_s in ticks_s[: place + 1]:
            latest_dms = tick_s * DMS_PER_S + _widest(highs, tick_s)
            assert latest_dms == timeline.steady().latest_dms(tick_s)
            earliest_dms = tick_s * DMS_PER_S - _widest(lows, tick_s) if lows else None
            is_doubtful = earliest_dms is not None and earliest_dms > latest_dms
            assert is_doubtful == timeline.steady().is_doubtful(tick_s)
            if earliest_dms is not None:
                earliest_dms = min(earliest_dms, latest_dms)
            assert earliest_dms == timeline.steady().earliest_dms(tick_s)


def _widest(points: list[tuple[int, int]], tick_s: int) -> int:
    """What the points allow, of rates from 21 ppm below a mean to 21 ppm above it."""
    ranges = ((mean - 21, mean + 21) for mean in range(-79, 80, 2))
    widest_us = max(
        min(
            offset_dms * 100 + max(low * (tick_s - at_s), high * (tick_s - at_s))
            for at_s, offset_dms in points
        )
        for low, high in ranges
    )
    return -(-widest_us // 100)


_STRETCH_S = 6 * 3600


@given(
    st.integers(-100, 100 - RATE_SPREAD_PPM),
    st.lists(st.sampled_from([0, 0, RATE_SPREAD_PPM // 3, RATE_SPREAD_PPM]), min_size=8),
    st.data(),
)
def test_any_clock_of_the_declared_spread_is_within_its_bounds(
    least_ppm: int, above_ppm: list[int], data: st.DataObject
) -> None:
    """However a clock's rate wanders within 40 ppm, each tick was when the timeline says."""
    rates_ppm = [least_ppm + above for above in above_ppm]
    late_us = list(accumulate((_STRETCH_S * rate for rate in rates_ppm), initial=0))

    def sent_us(tick_s: int) -> int:
        """When a tick was, by the time that the clock lost until then."""
        place = min(tick_s // _STRETCH_S, len(rates_ppm) - 1)
        lost_us = late_us[place] + (tick_s - place * _STRETCH_S) * rates_ppm[place]
        return (_UTC_MS + tick_s * 1000) * 1000 + lost_us

    ticks_s = st.integers(0, _STRETCH_S * len(rates_ppm))
    timeline = Timeline()
    for uptime_s in data.draw(st.lists(ticks_s, min_size=1, max_size=6)):
        at_ms = sent_us(uptime_s) // 1000 + data.draw(st.integers(0, 999))  # uptime is rounded down
        received_ms = at_ms + data.draw(st.integers(0, 5000))
        timeline.add(uptime_s, received_ms - 5000, received_ms + 1)
    for tick_s in data.draw(st.lists(ticks_s, min_size=1, max_size=20)):
        earliest_dms = timeline.steady().earliest_dms(tick_s)
        assert earliest_dms is not None
        assert earliest_dms * 100 <= sent_us(tick_s) <= timeline.steady().latest_dms(tick_s) * 100
        assert not timeline.steady().is_doubtful(tick_s)


def test_steady_clock_is_known_half_way_through_a_silence() -> None:
    """Between two receptions 5 days apart it is within 4.4 s of the line; any clock, in 22."""
    timeline = Timeline()
    length_s = 5 * 86_400
    for tick_s in (0, length_s):
        timeline.add(tick_s, _UTC_MS + tick_s * 1000, _UTC_MS + tick_s * 1000)
    middle_dms = (_UTC_MS * 10) + length_s // 2 * DMS_PER_S
    assert middle_dms + length_s * RATE_SPREAD_PPM // 4 // 100 + 1 == timeline.steady().latest_dms(
        length_s // 2
    )
    assert middle_dms + length_s // 2 + 1 == timeline.latest_dms(length_s // 2)
