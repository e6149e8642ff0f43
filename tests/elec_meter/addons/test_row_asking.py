from __future__ import annotations

from datetime import timedelta

import pytest

from elec_meter.access import Level
from elec_meter.addons.errors import LineGarbledError, LineRefusedError
from elec_meter.addons.row_asking import BLOCK_LIMIT, BREAK, Row, RowsAsker
from elec_meter.flag import FlagLine
from tests.elec_meter.addons.test_asking import IDENTIFICATION, with_check
from tests.elec_meter.flag.lines import cuts
from tests.elec_meter.flag.programmer import NOON, Desktop

HALF_HOUR = timedelta(minutes=30)
CHALLENGE = with_check(b"\x01P0\x02(00,00,14)\x03")
ROWS = with_check(
    b"\x021-0:99.1.0(26-04-01 12:30:00)(0)(48*Wh)()\r\n(26-04-01 13:00:00)(4)()()\x03"
)


def talked(asker: RowsAsker, desktop: Desktop, seed: int) -> list[Row]:
    """The rows of four days, with everything cut at random."""
    session = desktop.session(FlagLine(level=Level.READER))
    to_meter = asker.ask()
    while True:
        answer = session.receive_data(to_meter, desktop.now)
        assert answer, "the meter has nothing more to say"
        to_meter = b""
        for piece in cuts(answer, seed):
            reply, rows = asker.receive_data(piece)
            to_meter += reply
            if rows is not None:
                assert to_meter.endswith(BREAK)
                return rows


@pytest.mark.parametrize("seed", range(5))
def test_the_rows_are_those_of_the_meter(seed: int) -> None:
    """In blocks, however the stream is cut, and without a password."""
    desktop = Desktop()
    desktop.now += 100 * HALF_HOUR + timedelta(seconds=5)
    desktop.durable()
    rows = talked(RowsAsker("1-0:99.1.0", NOON, desktop.now), desktop, seed)
    assert [NOON + HALF_HOUR * number for number in range(1, 101)] == [row.end for row in rows]
    assert (0, 0, 0, 0, 0) == rows[0].cells
    assert all(row.is_final for row in rows)


def test_what_is_not_known_is_none() -> None:
    """And a row that has such a cell is not final."""
    asker = RowsAsker("1-0:99.1.0", NOON, NOON)
    asker.ask()
    _, rows = asker.receive_data(IDENTIFICATION + CHALLENGE + ROWS)
    assert rows is not None
    assert [(0, 48, None), (4, None, None)] == [row.cells for row in rows]
    assert not any(row.is_final for row in rows)


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (b"noise\r\n", LineGarbledError),
        (b"/" + b"x" * 70, LineGarbledError),
        (IDENTIFICATION + b"noise", LineGarbledError),
        (IDENTIFICATION + BREAK, LineRefusedError),
        (IDENTIFICATION + CHALLENGE[:-1] + b"\x00", LineGarbledError),
        (IDENTIFICATION + CHALLENGE + b"\x02" + b"1" * 9_000, LineGarbledError),
        (IDENTIFICATION + CHALLENGE + with_check(b"\x02(ER06)\x03"), LineRefusedError),
        (IDENTIFICATION + CHALLENGE + with_check(b"\x02P.1(soon)(0)\x03"), LineGarbledError),
        (
            IDENTIFICATION + CHALLENGE + with_check(b"\x02P(26-04-01 12:30:00)(x)\x03"),
            LineGarbledError,
        ),
        (
            IDENTIFICATION + CHALLENGE + with_check(b"\x02P(26-13-01 12:30:00)(1)\x03"),
            LineGarbledError,
        ),
        (IDENTIFICATION + CHALLENGE + with_check(b"\x02no row\x03"), LineGarbledError),
        (IDENTIFICATION + CHALLENGE + with_check(b"\x02\xff\x03"), LineGarbledError),
        (IDENTIFICATION + CHALLENGE + CHALLENGE, LineGarbledError),
    ],
)
def test_what_is_no_answer_is_refused(stream: bytes, error: type[Exception]) -> None:
    """Noise, wrong checks, refusals: each is an error, and the next try is fresh."""
    asker = RowsAsker("1-0:99.1.0", NOON, NOON)
    asker.ask()
    with pytest.raises(error):
        asker.receive_data(stream)
    asker.ask()
    _, rows = asker.receive_data(IDENTIFICATION + CHALLENGE + ROWS)
    assert rows is not None


@pytest.mark.parametrize("unasked", [b"noise" * 13_000, ROWS * 900, b"\x02" + b"1" * 65_000])
def test_what_nobody_asked_for_is_not_kept(unasked: bytes) -> None:
    """Before the question and after the answer: never more than the beginning of a block."""
    asker = RowsAsker("1-0:99.1.0", NOON, NOON)
    for answer in (b"", IDENTIFICATION + CHALLENGE + ROWS):
        if answer:
            asker.ask()
            assert asker.receive_data(answer + unasked)[1] is not None
        for _ in range(10):
            assert (b"", None) == asker.receive_data(unasked)
            assert BLOCK_LIMIT >= len(asker._messages._buffer)
