from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from dlms_cosem.time import datetime_from_bytes, datetime_to_bytes
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.instants import (
    UNKNOWN,
    decode_date_time,
    encode_date,
    encode_date_time,
    encode_time,
)

instants = st.datetimes(timezones=st.just(UTC)).map(lambda instant: instant.replace(microsecond=0))


def test_the_standards_layout() -> None:
    """Year, month, day, weekday; time; deviation 0; status."""
    noon = datetime(2012, 10, 28, 12, 30, 5, tzinfo=UTC)

    assert "07dc0a1c070c1e0500000002" == encode_date_time(noon, 2).hex()
    assert "07dc0a1c07" == encode_date(noon.date()).hex()
    assert "0c1e0500" == encode_time(noon.time()).hex()


@given(instants)
def test_an_instant_is_read_as_written(instant: datetime) -> None:
    """Here, and by a library that nobody here wrote."""
    assert instant == decode_date_time(encode_date_time(instant))
    assert instant.replace(tzinfo=None) == datetime_from_bytes(encode_date_time(instant))[0]


@given(instants, st.integers(-720, 720))
def test_an_instant_of_another_zone_is_the_same(instant: datetime, offset_min: int) -> None:
    """As that library writes it."""
    local = instant.astimezone(timezone(timedelta(minutes=offset_min)))

    assert instant == decode_date_time(datetime_to_bytes(local))


def test_open_seconds_are_0_and_no_deviation_is_utc() -> None:
    """As head ends write the ends of a range."""
    asked = bytes.fromhex("07dc0a1cff0c1effff8000ff")

    assert datetime(2012, 10, 28, 12, 30, tzinfo=UTC) == decode_date_time(asked)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "07dc0a1c070c1e05000000",
        UNKNOWN.hex(),
        "07dc0a20070c1e0500000000",
        "07dc0a1c07181e0500000000",
        "07dc0a1c070c1e0564000000",
        "07dc0a1c070c1e0500030000",
        "00000a1c070c1e0500000000",
        "270f0c1f07173b3b0002d000",
    ],
)
def test_what_names_no_single_instant_is_refused(data: str) -> None:
    """Wildcards, dates that the calendar does not have, other lengths."""
    with pytest.raises(MalformedError):
        decode_date_time(bytes.fromhex(data))
