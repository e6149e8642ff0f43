from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.addons.forwarding import ROWS_MAX, Backoff, Forwarding
from elec_meter.addons.row_asking import Row
from elec_meter.dlms.wrapper import Wrapped, WrapperReader
from tests.elec_meter.addons.head_end import told
from tests.elec_meter.flag.programmer import NOON

PROFILE = "1-0:99.1.0"
HALF_HOUR = timedelta(minutes=30)


def forwarding(saved: str = "") -> Forwarding:
    """Of one profile, for a month."""
    return Forwarding((PROFILE,), timedelta(days=31), saved)


def apdu(message: bytes) -> bytes:
    """Of a wrapped message."""
    reader = WrapperReader(65_535)
    reader.feed(message)
    wrapped = reader.read()
    assert wrapped is not None
    return wrapped.apdu


def confirmation(message: bytes) -> Wrapped:
    """What a head end answers."""
    return Wrapped(1, 1, b"\x10" + apdu(message)[1:5] + b"\x00")


@given(
    steps=st.lists(st.integers(1, 4), min_size=1, max_size=60),
    cells=st.lists(st.integers(0, 2**64 - 1), min_size=3, max_size=3),
)
def test_a_reader_has_the_rows_again(steps: list[int], cells: list[int]) -> None:
    """Times and numbers of any size, whether or not half-hours are missing in between."""
    rows, end = [], NOON
    for step in steps:
        end += step * HALF_HOUR
        rows.append(Row(end, tuple(cell // step for cell in cells)))
    _, _, listed = told(apdu(forwarding().message("00000001", PROFILE, rows)))
    assert [(row.end, list(row.cells)) for row in rows] == listed


def test_a_row_that_is_not_final_stops_what_follows() -> None:
    """What comes before it is sent, at most so many at once."""
    known, unknown = (Row(NOON + HALF_HOUR * n, (0, 1)) for n in range(2)), None
    rows = [*known, Row(NOON + 2 * HALF_HOUR, (0, unknown)), Row(NOON + 3 * HALF_HOUR, (0, 1))]
    assert 2 == len(told(apdu(forwarding().message("1", PROFILE, rows)))[2])
    assert b"" == forwarding().message("1", PROFILE, rows[2:])
    many = [Row(NOON + HALF_HOUR * n, (0, 1)) for n in range(200)]
    assert ROWS_MAX == len(told(apdu(forwarding().message("1", PROFILE, many)))[2])


def test_only_the_confirmation_of_the_last_message_counts() -> None:
    """Another number, another APDU or a second one change nothing; it survives a restart."""
    core = forwarding()
    first = core.message("1", PROFILE, [Row(NOON, (0, 1))])
    second = core.message("1", PROFILE, [Row(NOON + HALF_HOUR, (0, 1))])
    for bad in (confirmation(first), Wrapped(1, 1, b"\x10\x00"), Wrapped(1, 1, apdu(second))):
        assert not core.is_acknowledged_by(bad)
    assert core.is_acknowledged_by(confirmation(second))
    assert not core.is_acknowledged_by(confirmation(second))
    assert NOON + HALF_HOUR == forwarding(core.saved()).through(PROFILE)
    (window,) = forwarding(core.saved()).windows(NOON + timedelta(hours=2))
    assert NOON + HALF_HOUR + timedelta(seconds=1) == window.first
    assert NOON + timedelta(hours=2) == window.last


def test_days_without_rows_are_passed_over() -> None:
    """A meter that is younger than what is kept is asked day by day, and not for ever."""
    core, asked = forwarding(), 0
    while True:
        (window,) = core.windows(NOON) or (None,)
        asked += 1
        if window is None or not core.has_more(window, [], NOON):
            break
    assert 31 == asked


@pytest.mark.parametrize("back", [timedelta(0), timedelta(days=1)])
def test_a_meter_whose_time_was_set_back_is_asked_nothing(back: timedelta) -> None:
    """There is nothing that the head end does not have."""
    core = forwarding()
    message = core.message("1", PROFILE, [Row(NOON, (0, 1))])
    assert core.is_acknowledged_by(confirmation(message))
    assert [] == core.windows(NOON - back)


def test_pauses_double_until_it_works() -> None:
    """From a second to five minutes, and from a second again."""
    backoff = Backoff()
    assert [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] == [backoff.failed() for _ in range(11)]
    backoff.worked()
    assert 1 == backoff.failed()


def test_a_half_hour_takes_as_many_bytes_as_the_page_says() -> None:
    """By itself, and as one of a day that was missed."""

    def octets(rows: int) -> tuple[int, int]:
        listed = [
            Row(NOON + HALF_HOUR * n, (0, 250 - 200 * (n % 2) + 9 * n, 0, 30, 0))
            for n in range(rows)
        ]
        message = forwarding().message("00000001", PROFILE, listed)
        return len(message), len(confirmation(message).to_bytes())

    (alone, answer), day = octets(1), octets(48)
    page = " ".join((Path(__file__).parents[3] / "docs" / "addons.md").read_text().split())
    assert f"by itself takes {alone} bytes, and its answer {answer};" in page
    assert f"one of a day that was missed takes {sum(day) // 48}," in page
