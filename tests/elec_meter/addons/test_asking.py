from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from elec_meter.addons.asking import READOUT_LIMIT, ReadoutAsker, Step
from elec_meter.addons.errors import LineGarbledError, LineRefusedError
from elec_meter.addons.messages import REQUEST
from elec_meter.addons.readings import Readings
from tests.elec_meter.addons.reading_out import read_out
from tests.elec_meter.flag.lines import BREAK, busy_meter, cuts

IDENTIFICATION = b"/HHY6\\2HALFHOURLY\r\n"
BLOCK = b"\x021.8.0(000123.463*kWh)\r\n2.8.0()\r\n!\r\n\x03"


def with_check(block: bytes) -> bytes:
    """The block and its BCC."""
    check = 0
    for byte in block[1:]:
        check ^= byte
    return block + bytes((check,))


def fed(*pieces: bytes) -> Readings | None:
    """The readout that comes of these pieces, if one does."""
    asker, found = ReadoutAsker(), None
    assert REQUEST == asker.ask()
    for piece in pieces:
        _, readings = asker.receive_data(piece)
        found = readings or found
    return found


def test_a_readout_has_what_the_meter_knows() -> None:
    """Values with units and times, at a reader's level, and nothing for what is not known."""
    meter = busy_meter()
    meter.live = None
    readings = read_out(meter)
    assert Decimal("123.463") == readings["1-0:1.8.0"].number("kWh")
    assert Decimal("12.340") == readings["0-1:24.2.1"].number("m3")
    assert datetime(2012, 10, 28, 0, 37, 30, tzinfo=UTC) == readings["0-1:24.2.1"].captured
    assert meter.now == readings["0-0:1.0.0"].instant()
    assert ("1-0:1.8.1", "1-0:1.8.2") == readings.rates(1)
    assert (1,) == readings.channels
    assert "1-0:16.7.0" in readings
    assert readings["1-0:16.7.0"].number("W") is None
    assert not readings["0-2:24.2.1"].is_known


@pytest.mark.parametrize("seed", range(20))
def test_the_cut_of_the_stream_does_not_matter(seed: int) -> None:
    """Whole and in random pieces, the same readout."""
    stream = IDENTIFICATION + with_check(BLOCK)
    whole, in_pieces = fed(stream), fed(*cuts(stream, seed))
    assert whole is not None
    assert in_pieces is not None
    assert whole.codes == in_pieces.codes
    assert whole["1-0:1.8.0"] == in_pieces["1-0:1.8.0"]


@pytest.mark.parametrize(
    "stream",
    [
        b"noise\r\n",
        b"/" + b"x" * 70,
        IDENTIFICATION + b"noise",
        IDENTIFICATION + BLOCK + b"\x00",
        IDENTIFICATION + with_check(b"\x02no line\r\n!\r\n\x03"),
        IDENTIFICATION + with_check(b"\x02what(1)\r\n!\r\n\x03"),
        IDENTIFICATION + with_check(b"\x021.8.0(1)\r\n\x03"),
        IDENTIFICATION + with_check(b"\x021.8.0(\xff)\r\n!\r\n\x03"),
        IDENTIFICATION + b"\x02" + b"1" * 70_000,
    ],
)
def test_what_is_no_readout_is_refused(stream: bytes) -> None:
    """Noise, a wrong check, foreign lines, no end: each is an error, and the next try is fresh."""
    asker = ReadoutAsker()
    asker.ask()
    with pytest.raises(LineGarbledError):
        asker.receive_data(stream)
    assert Step.NOTHING is asker.step
    asker.ask()
    _, readings = asker.receive_data(IDENTIFICATION + with_check(BLOCK))
    assert readings is not None


def test_a_break_is_a_refusal_and_the_next_question_is_answered() -> None:
    """It is no noise: what the meter would say is not durable, and will be."""
    asker = ReadoutAsker()
    asker.ask()
    with pytest.raises(LineRefusedError, match=r"^the meter will not say its values now$"):
        asker.receive_data(IDENTIFICATION + BREAK)
    assert Step.NOTHING is asker.step
    asker.ask()
    _, readings = asker.receive_data(IDENTIFICATION + with_check(BLOCK))
    assert readings is not None


@pytest.mark.parametrize(
    "unasked",
    [
        b"noise" * 13_000,
        b"\x02" + b"1" * 65_000,
        b"/" * 65_000,
        with_check(b"\x02" + b"1.8.0(000123.463*kWh)\r\n" * 2_800 + b"!\r\n\x03"),
        IDENTIFICATION * 3_400,
    ],
)
def test_what_nobody_asked_for_is_not_kept(unasked: bytes) -> None:
    """Before the first question and after an answer: never more than the beginning of a block."""
    asker = ReadoutAsker()
    for answer in (b"", IDENTIFICATION + with_check(BLOCK)):
        if answer:
            asker.forget()
            asker.ask()
            assert asker.receive_data(answer + unasked)[1] is not None
        for _ in range(10):
            assert (b"", None) == asker.receive_data(unasked)
            assert READOUT_LIMIT >= len(asker._messages._buffer)


@pytest.mark.parametrize("seed", range(10))
def test_late_words_are_passed_over_also_those_that_the_next_question_cuts(seed: int) -> None:
    """What was still said after an answer is no answer to the next question."""
    late = with_check(BLOCK.replace(b"123", b"122"))
    at = random.Random(seed).randrange(len(late))
    asker = ReadoutAsker()
    asker.ask()
    _, first = asker.receive_data(
        IDENTIFICATION + with_check(BLOCK) + IDENTIFICATION + late + late[:at]
    )
    assert first is not None
    asker.ask()
    stream, found = late[at:] + IDENTIFICATION + with_check(BLOCK), None
    for piece in cuts(stream, seed):
        found = asker.receive_data(piece)[1] or found
    assert found is not None
    assert "000123.463" == found["1-0:1.8.0"].text
