"""Ticks in UTC: the intersection of what receptions allow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.timeline import DMS_PER_S, Timeline

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
