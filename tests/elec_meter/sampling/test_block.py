from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from elec_meter.errors import MeterError
from elec_meter.sampling import BlockError, Converter, SampleBlock

ANCHOR = datetime(2024, 3, 31, 0, 59, 59, 500_000, tzinfo=UTC)
COUNTS = np.arange(10, dtype=np.int16)


def test_times() -> None:
    """A block knows when it starts and ends, from the stream's anchor."""
    block = SampleBlock(COUNTS, COUNTS, 4001, 4000, ANCHOR)
    assert 10 == len(block)
    assert 4011 == block.end_sample
    assert ANCHOR + timedelta(microseconds=1_000_250) == block.start_utc
    assert ANCHOR + timedelta(microseconds=1_002_750) == block.end_utc


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"voltage": [1, 2]}, "voltage is a list, not an array"),
        ({"current": COUNTS.astype(float)}, "current is float64, not int16 or int32"),
        ({"voltage": COUNTS.astype(np.uint16)}, "voltage is uint16, not int16 or int32"),
        ({"current": COUNTS.reshape(2, 5)}, "current has 2 dimensions, not one"),
        ({"voltage": np.arange(20, dtype=np.int16)[::2]}, "voltage is not contiguous"),
        ({"voltage": COUNTS.astype(np.int32)}, "voltage and current differ in type or length"),
        ({"voltage": COUNTS[:9]}, "voltage and current differ in type or length"),
        ({"first_sample": -1}, "first_sample is -1, before the anchor"),
        ({"rate_hz": 1999}, "the rate is 1999 Hz, not 2,000 to 32,000 Hz"),
        ({"rate_hz": 32_001}, "the rate is 32001 Hz, not 2,000 to 32,000 Hz"),
        ({"anchor_utc": datetime(2024, 1, 1)}, "anchor_utc is not an aware UTC time"),  # noqa: DTZ001 - naive on purpose
        (
            {"anchor_utc": ANCHOR.astimezone(timezone(timedelta(hours=1)))},
            "anchor_utc is not an aware UTC time",
        ),
    ],
)
def test_refusals(change: dict[str, Any], sentence: str) -> None:
    """Anything but two equal runs of counts at a sane rate from a UTC instant is refused."""
    sound = {
        "voltage": COUNTS,
        "current": COUNTS,
        "first_sample": 0,
        "rate_hz": 4000,
        "anchor_utc": ANCHOR,
    }
    with pytest.raises(BlockError) as refusal:
        SampleBlock(**{**sound, **change})
    assert sentence == str(refusal.value)
    assert isinstance(refusal.value, MeterError)


def test_converter() -> None:
    """A converter's counts are exact ratios of its full scale."""
    converter = Converter(voltage_peak_mv=400_000, current_peak_ma=150_000, bits=24)
    assert np.int32 == converter.dtype
    assert 400_000 == converter.voltage_mv_per_count * converter.full_scale_count
    assert 150_000 == converter.current_ma_per_count * converter.full_scale_count
    assert np.int16 == Converter().dtype


@pytest.mark.parametrize("change", [{"bits": 12}, {"bits": 25}, {"voltage_peak_mv": 0}])
def test_impossible_converter(change: dict[str, int]) -> None:
    """A converter of another width, or without a range, is refused."""
    with pytest.raises(BlockError):
        Converter(**change)
