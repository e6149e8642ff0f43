"""An outage in words."""

from __future__ import annotations

import pytest

from elec_meter.outages import outage_text


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (3_599, "3599 s"),
        (3_600, "3600 s (1 h 0 min)"),
        (86_399, "86399 s (23 h 59 min)"),
        (86_400, "86400 s (1 day 0 h)"),
        (18_740_256, "18740256 s (216 days 21 h)"),
    ],
)
def test_how_long_power_was_away(duration_s: int, text: str) -> None:
    """Seconds, and beside them what a person reads of a long one."""
    assert text == outage_text(duration_s)
