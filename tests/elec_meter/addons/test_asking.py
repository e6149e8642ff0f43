from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from elec_meter.addons.asking import ReadoutAsker, Step
from elec_meter.addons.errors import LineGarbledError
from elec_meter.addons.messages import REQUEST
from elec_meter.addons.readings import Readings
from tests.elec_meter.addons.reading_out import read_out
from tests.elec_meter.flag.lines import busy_meter, cuts

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
