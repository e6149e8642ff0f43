from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elec_meter.errors import MeterError
from elec_meter.metrology import Calibration, Metrology
from elec_meter.sampling import (
    BlockError,
    ConstantLoad,
    Converter,
    SampleBlock,
    SyntheticMains,
)
from shared.timegrid import EPOCH

ANCHOR = datetime(2024, 3, 31, 0, 59, 59, 500_000, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)
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
        (
            {"voltage": np.ma.masked_greater(COUNTS, 5)},
            "voltage is a MaskedArray, not an array",
        ),
        ({"first_sample": 1.5}, "first_sample is 1.5, not a whole number"),
        ({"first_sample": math.nan}, "first_sample is nan, not a whole number"),
        ({"first_sample": None}, "first_sample is None, not a whole number"),
        ({"first_sample": 2**62}, f"first_sample is {2**62}: no stream is so long"),
        ({"rate_hz": 4000.0}, "rate_hz is 4000.0, not a whole number"),
        ({"anchor_utc": 0.0}, "anchor_utc is not an aware UTC time"),
        ({"anchor_utc": LAST, "first_sample": 4000}, "the block ends after the year 9999"),
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


def import_mj(block: SampleBlock) -> int:
    """What a new pipeline measures of it."""
    metrology = Metrology(Calibration.for_converter(Converter()), rate_hz=4000)
    return int(metrology.process(block).import_mj.sum())


@pytest.fixture(scope="module")
def mains() -> SampleBlock:
    """Two seconds of a kilowatt."""
    source = SyntheticMains(seed=1, anchor_utc=EPOCH, load=ConstantLoad(1000.0))
    return source.block(0, 8000)


@pytest.mark.parametrize("kind", [np.int64, np.uint16, np.int32])
def test_whole_numbers_of_numpy(kind: type[np.integer[Any]], mains: SampleBlock) -> None:
    """They are taken, and measured, as Python's."""
    whole = SampleBlock(mains.voltage, mains.current, kind(250), kind(4000), ANCHOR)  # type: ignore[arg-type]  # on purpose
    assert (int, int) == (type(whole.first_sample), type(whole.rate_hz))
    assert 8250 == whole.end_sample
    assert import_mj(mains) == import_mj(whole)


def test_counts_that_cannot_be_written(tmp_path: Path, mains: SampleBlock) -> None:
    """Those of a memory map, of bytes, and at odd places of them, are measured like any other."""
    made = []
    for name in ("voltage", "current"):
        counts = getattr(mains, name)
        np.save(tmp_path / name, counts)
        odd = np.frombuffer(bytearray(b"." + counts.tobytes()), np.int16, offset=1)
        mapped = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
        made.append((mapped, np.frombuffer(counts.tobytes(), np.int16), odd))
    for voltage, current in zip(*made, strict=True):
        block = SampleBlock(voltage, current, 0, 4000, ANCHOR)
        assert import_mj(mains) == import_mj(block)


def test_the_end_of_the_longest_stream(mains: SampleBlock) -> None:
    """Whatever a block can be, it can be measured."""
    anchor = datetime(1990, 1, 1, tzinfo=UTC)
    late = SampleBlock(mains.voltage, mains.current, 2**48 - 8000, 4000, anchor)
    assert import_mj(mains) == pytest.approx(import_mj(late), abs=1)
    old = SampleBlock(mains.voltage, mains.current, 0, 4000, datetime(1, 1, 1, tzinfo=UTC))
    assert import_mj(mains) == import_mj(old)


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
