"""The slave's side of the wired bus."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from collector.decode import decode_telegram
from pulse_unit.slave import (
    ERROR_DENIED,
    ERROR_KEY,
    ERROR_PARAMETER,
    ERROR_UNKNOWN_CI,
    ERROR_UNKNOWN_COMMAND,
    ERROR_UNSPECIFIED,
    REPEAT_MS,
)
from shared.wire.errors import Malformed
from shared.wire.mbus import (
    FCB,
    FRAME_MAX,
    REQ_UD1,
    REQ_UD2,
    RESPONSE_RECORDS_MAX,
    RSP_UD,
    SND_NKE,
    SND_UD,
    decode_frame,
)
from shared.wire.telegram import HISTORY_BYTES_MAX, encode_records
from tests.pulse_unit.wired import (
    ASK,
    ASK_TOGGLED,
    COMMAND,
    DONE,
    RESET,
    SECONDARY,
    SERIAL,
    Line,
    error,
    select,
    set_address,
    short,
    user_data,
)
from tests.shared.wire.samples import unit_telegram

meterbus = pytest.importorskip("meterbus", reason="pyMeterBus, the other reader, is not installed")

SELECTED = select(SECONDARY)


def count(reply: bytes) -> int:
    """The count in a response."""
    return decode_telegram(reply)["records"][0]["value"]


def test_example_exchange() -> None:
    """Reset and request: an acknowledgement and the unit's data, byte for byte."""
    line = Line()
    assert DONE == line.send(bytes.fromhex("1040054516"))
    told = line.send(bytes.fromhex("107b058016"))
    assert (
        "682b 2b68 08 05 72 78563412 1921 01 03 01 20 0000"
        "04fd3a01000000 042002000000 02fd740000 02fd170000 02fd600000 3c16"
    ).replace(" ", "") == told.hex()


def test_response_is_read_by_others() -> None:
    """The longest response of a unit fits a frame; pyMeterBus and the collector read it alike."""
    line = Line()
    said = unit_telegram(increments=tuple(range(146)))
    line.unit.records = lambda uptime_ms: encode_records(said, HISTORY_BYTES_MAX)
    told = line.send(ASK)
    assert len(told) <= FRAME_MAX
    theirs = json.loads(meterbus.load(told).to_JSON())
    header = theirs["body"]["header"]
    assert ("0x12, 0x34, 0x56, 0x78", "HHY", 1) == (
        header["identification"],
        header["manufacturer"],
        header["access_no"],
    )
    values = [record["value"] for record in theirs["body"]["records"][:4]]
    assert [12345, pytest.approx(1234.56), 180_000, 77] == values
    ours = decode_telegram(told)
    assert ("HHY", SERIAL, 1, "gas", "none", 0x20) == (
        ours["manufacturer"],
        ours["id"],
        ours["version"],
        ours["medium"],
        ours["security"],
        ours["status"],
    )
    assert [12345, Decimal("1234.56"), 180_000, 77] == [r["value"] for r in ours["records"][:4]]


def test_full_frame_fits_and_more_is_refused() -> None:
    """240 bytes of records fill a frame; a unit with more is at fault."""
    line = Line()
    line.unit.records = lambda uptime_ms: b"\x2f" * RESPONSE_RECORDS_MAX
    assert FRAME_MAX == len(line.send(ASK))
    line.unit.records = lambda uptime_ms: b"\x2f" * (RESPONSE_RECORDS_MAX + 1)
    with pytest.raises(Malformed):
        line.send(ASK_TOGGLED)


def test_toggled_request_is_new_and_repeated_one_is_not() -> None:
    """Toggling FCB brings new data and the next access number; the same again the same bytes."""
    line = Line()
    first = line.send(ASK_TOGGLED)
    assert first == line.send(ASK_TOGGLED) == line.send(ASK_TOGGLED)
    second = line.send(ASK)
    assert (1, 2) == (count(first), count(second))
    assert (1, 2) == (first[15], second[15])
    assert second == line.send(ASK)


def test_reset_makes_the_next_request_new() -> None:
    """After SND_NKE the first request is new, whatever its FCB; an echo of ours changes nothing."""
    line = Line()
    for request in (ASK, ASK, ASK_TOGGLED, ASK_TOGGLED):
        assert DONE == line.send(RESET)
        told = line.send(request)
        assert b"" == line.send(told)
        assert told == line.send(request)
    assert 4 == line.unit.count


def test_masters_that_use_fcb_wrongly_get_data() -> None:
    """Without FCV each request is new; one that never toggles gets new data after a minute."""
    line = Line()
    for control in (0x4B, 0x4B, 0x6B, 0x6B):
        assert line.send(short(control))
    assert 4 == line.unit.count
    first = line.send(ASK)
    line.now_ms += REPEAT_MS - 1000
    assert first == line.send(ASK)
    assert 6 == count(line.send(ASK))


def test_own_and_general_addresses() -> None:
    """The own address and 254 are answered, 255 silently obeyed, any other left alone."""
    line = Line()
    assert [5, 254] == [a for a in range(256) if line.send(short(SND_NKE, a))]
    assert [5, 254] == [a for a in range(256) if line.send(short(0x4B, a))]
    assert 5 == decode_frame(line.send(short(0x4B, 254))).address
    assert b"" == line.send(set_address(9, 255))
    assert 9 == line.slave.address


def test_alarm_request_is_acknowledged() -> None:
    """REQ_UD1 is asked for alarms, of which there are none."""
    assert DONE == Line().send(short(REQ_UD1))


@pytest.mark.parametrize(
    "pattern",
    [
        SECONDARY,
        b"\xff" * 8,
        bytes.fromhex("ffffff1f19210103"),
        bytes.fromhex("78563f12 ffff 01 03"),
        bytes.fromhex("f8ffffff 19ff ff 03"),
        bytes.fromhex("78563412 ff21 01 ff"),
    ],
)
def test_selection(pattern: bytes) -> None:
    """A pattern that fits, wildcards taken, selects: 253 is then an address of the unit."""
    line = Line()
    assert b"" == line.send(short(REQ_UD2, 253))
    assert DONE == line.send(select(pattern))
    told = decode_frame(line.send(short(REQ_UD2, 253)))
    assert (253, SECONDARY) == (told.address, told.user_data[1:9])


@pytest.mark.parametrize(
    "pattern",
    [
        bytes.fromhex("7956341219210103"),
        bytes.fromhex("7856341319210103"),
        bytes.fromhex("e8ffffffffffffff"),
        bytes.fromhex("7856341218210103"),
        bytes.fromhex("7856341219220103"),
        bytes.fromhex("7856341219210203"),
        bytes.fromhex("7856341219210107"),
        SECONDARY[:7],
        SECONDARY + bytes.fromhex("0c7800000000"),
    ],
)
def test_selection_of_another_unit(pattern: bytes) -> None:
    """A pattern that does not fit is left unanswered, and ends a selection."""
    line = Line()
    assert DONE == line.send(SELECTED)
    assert b"" == line.send(select(pattern))
    assert b"" == line.send(short(REQ_UD2, 253))
    assert DONE == line.send(SELECTED)


def test_selection_ends_with_a_reset() -> None:
    """SND_NKE to 253, acknowledged, and to 255, silently, ends it; one to the address does not."""
    line = Line()
    for address, reply in ((253, DONE), (255, b"")):
        assert DONE == line.send(SELECTED)
        assert DONE == line.send(RESET)
        assert line.send(short(REQ_UD2, 253))
        assert reply == line.send(short(SND_NKE, address))
        assert b"" == line.send(short(REQ_UD2, 253))


def test_selected_by_one_digit_after_another() -> None:
    """A wildcard search, digit by digit, finds the serial."""
    line = Line()
    found = ""
    for place in range(8):
        for digit in range(10):
            text = f"{found}{digit}".ljust(8, "F")
            if line.send(select(bytes.fromhex(text)[::-1] + b"\xff" * 4)):
                found += str(digit)
                break
        assert place + 1 == len(found)
    assert SERIAL == found


def test_command_reaches_the_unit_once() -> None:
    """An obeyed command is acknowledged, and so is its repetition, which is not obeyed again."""
    line = Line()
    assert DONE == line.send(user_data(COMMAND))
    assert DONE == line.send(user_data(COMMAND))
    assert [(COMMAND[1:], 1000)] == line.unit.obeyed
    assert DONE == line.send(user_data(COMMAND, control=SND_UD | FCB))
    assert DONE == line.send(user_data(COMMAND[:-1], control=SND_UD | FCB))
    assert 3 == len(line.unit.obeyed)


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (1, ERROR_PARAMETER),
        (2, ERROR_KEY),
        (3, ERROR_DENIED),
        (4, ERROR_PARAMETER),
        (5, ERROR_UNSPECIFIED),
        (6, ERROR_UNKNOWN_COMMAND),
    ],
)
def test_refused_command_says_why_once(refusal: int, told: int) -> None:
    """It is not acknowledged; the next request is told why, and the one after it gets data."""
    line = Line()
    line.unit.refusal = refusal
    assert b"" == line.send(user_data(COMMAND)) == line.send(user_data(COMMAND))
    assert 1 == len(line.unit.obeyed)
    assert b"" == line.send(short(REQ_UD2, 255))
    assert told == error(line.send(ASK)) == error(line.send(ASK))
    assert 1 == count(line.send(ASK_TOGGLED))


def test_what_ends_a_refusal() -> None:
    """A reset, and a command that is obeyed; what was sent to everybody leaves none."""
    line = Line()
    line.unit.refusal = 2
    line.send(user_data(COMMAND))
    line.send(RESET)
    assert 1 == count(line.send(ASK))
    line.send(user_data(COMMAND))
    assert DONE == line.send(user_data(b"\x50"))
    assert 2 == count(line.send(ASK))
    assert b"" == line.send(user_data(COMMAND, 255))
    assert 3 == count(line.send(ASK_TOGGLED))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x53", ERROR_UNKNOWN_CI),
        (b"\x52" + SECONDARY, ERROR_UNKNOWN_CI),
        (b"\xbe", ERROR_UNKNOWN_CI),
        (b"\x51", ERROR_UNKNOWN_COMMAND),
        (b"\x51\x0c\x79\x01\x02\x03\x04", ERROR_UNKNOWN_COMMAND),
        (b"\x51\x01\x7a\x07\x00", ERROR_UNKNOWN_COMMAND),
    ],
)
def test_what_a_unit_does_not_do(content: bytes, told: int) -> None:
    """Other CI fields, speeds and records are not acknowledged, and the reason can be read."""
    line = Line()
    assert b"" == line.send(user_data(content))
    assert told == error(line.send(ASK))


@pytest.mark.parametrize(
    "data",
    [
        user_data(b"\x50", control=SND_NKE),
        user_data(b"\x50", control=REQ_UD2),
        short(SND_UD),
        short(0x49),
        short(0xC0),
        short(RSP_UD),
        short(REQ_UD2 | FCB)[:-2] + b"\x00\x16",
        b"\xe5",
    ],
)
def test_frames_that_mean_nothing_are_left_unanswered(data: bytes) -> None:
    """Wrong lengths for their C field, other C fields, bad check sums, others' frames."""
    line = Line()
    assert b"" == line.send(data)
    assert 1 == count(line.send(short(0x4B)))


def test_pause_begins_a_new_frame() -> None:
    """Half a frame followed by silence is forgotten; without the pause it is completed."""
    line = Line()
    assert b"" == line.send(user_data(COMMAND)[:20])
    assert DONE == line.send(RESET)
    for at, reply in ((60, DONE), (70, b"")):
        line.send(RESET[:3])
        assert reply == line.slave.receive_data(RESET[3:], line.now_ms + at)
    line.send(user_data(b"\xb8"))
    line.send(ASK)
    line.send(RESET[:3])
    assert DONE == line.slave.receive_data(RESET[3:], line.now_ms + 160)
