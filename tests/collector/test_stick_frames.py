from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.stick_frames import (
    AmberReader,
    Found,
    ImstReader,
    LineReader,
    StickAnswer,
    StickFrame,
    StickReader,
)
from collector.stick_setup import KINDS
from shared.wire.errors import BadCrc, WireError
from shared.wire.sticks import AMBER_RECEIVED, amber_message, imst_crc
from shared.wire.wmbus import frame_a, frame_b, unframe
from tests.collector.sticks import RSSI_DBM, SAYS, amber, cul, imst, link, plain

FRAMES = [link(number, length) for number, length in ((1, 12), (0xA5A5FFFF, 60), (3, 190))]


def frames(found: list[Found]) -> list[bytes]:
    """The link frames in what a reader gave."""
    return [unframe(each.data) for each in found if isinstance(each, StickFrame)]


@pytest.mark.parametrize("kind", KINDS)
def test_frames_come_with_their_signal_strength(kind: str) -> None:
    """Each kind of stick, three lengths of frame; a plain line tells no strength."""
    found = KINDS[kind].reader().receive_data(b"".join(map(SAYS[kind], FRAMES)))
    assert FRAMES == frames(found)
    expected = None if kind == "hex" else RSSI_DBM
    assert {expected} == {each.rssi_dbm for each in found if isinstance(each, StickFrame)}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_cuts_change_nothing(kind: str, data: st.DataObject) -> None:
    """Whole, byte by byte and at random cuts: the same frames from the same bytes and noise."""
    noise = st.binary(max_size=40)
    said = b"".join(data.draw(noise) + b"\n" + SAYS[kind](frame) for frame in FRAMES)
    whole = frames(_read(KINDS[kind].reader(), [said]))
    assert whole == frames(_read(KINDS[kind].reader(), [bytes([byte]) for byte in said]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=8)))
    pieces = [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    assert whole == frames(_read(KINDS[kind].reader(), pieces))
    assert set(FRAMES) <= set(whole)


def _read(reader: StickReader, pieces: list[bytes]) -> list[Found]:
    found = [each for piece in pieces for each in reader.receive_data(piece)]
    return found + reader.flush()


@pytest.mark.parametrize("kind", KINDS)
@given(said=st.binary(max_size=400))
def test_there_are_three_outcomes(kind: str, said: bytes) -> None:
    """A frame or answer, a typed error, or nothing yet: whatever the bytes are."""
    for each in _read(KINDS[kind].reader(), [said]):
        assert isinstance(each, (StickFrame, StickAnswer, WireError))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_megabyte_of_noise_costs_no_frame_and_no_memory(kind: str, seed: int) -> None:
    """Frames between noise are all found, and what waits stays below two reads."""
    noise = random.Random(seed)
    reader = KINDS[kind].reader()
    expected = [link(number, 12 + number) for number in range(100)]
    found = []
    tracemalloc.start()
    for frame in expected:
        said = noise.randbytes(10_000) + SAYS[kind](frame)
        for start in range(0, len(said), 4096):
            found += frames(reader.receive_data(said[start : start + 4096]))
        found += frames(reader.flush())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [frame for frame in found if frame in expected] == expected
    assert peak < 500_000


@pytest.mark.parametrize(
    ("said", "frame"),
    [
        (imst(FRAMES[1], crc=False), FRAMES[1]),
        (imst(FRAMES[1], time=True), FRAMES[1]),
        (imst(FRAMES[1], crc=False, time=True, rssi=False), FRAMES[1]),
    ],
)
def test_im871a_flags_say_what_follows(said: bytes, frame: bytes) -> None:
    """Time, signal strength and CRC come or not as the second byte says."""
    assert [frame] == frames(ImstReader().receive_data(said))


def test_im871a_crc_is_that_of_its_manual() -> None:
    """CRC-16/X-25, whose check value for the nine digits is 906E, sent low byte first."""
    assert bytes.fromhex("6E90") == imst_crc(b"123456789")


def test_a_wrong_check_is_told_and_the_next_frame_read() -> None:
    """iM871A and AMB8465: one error for the damaged message, and the frame behind it."""
    for reader, said in ((ImstReader(), imst), (AmberReader(), amber)):
        damaged = bytearray(said(FRAMES[0]))
        damaged[-1] ^= 1
        found = reader.receive_data(bytes(damaged) + said(FRAMES[1])) + reader.flush()
        assert any(isinstance(each, BadCrc) for each in found)
        assert [FRAMES[1]] == frames(found)


def test_a_beginning_that_never_ends_hides_nothing() -> None:
    """What looked like a long message held up a true one only until the line was silent."""
    for reader, start, said in (
        (ImstReader(), "A582 03F0 44", imst),
        (AmberReader(), "FF03 F044", amber),
    ):
        assert [] == reader.receive_data(bytes.fromhex(start) + said(FRAMES[0]))
        assert reader.is_waiting
        assert [FRAMES[0]] == frames(reader.flush())
        assert not reader.is_waiting


def test_a_message_without_a_crc_hides_no_other() -> None:
    """Noise that looks like one, and has room for a true frame: both come, the true one too."""
    found = ImstReader().receive_data(bytes.fromhex("A502031E44") + imst(FRAMES[0]) + bytes(20))
    assert [FRAMES[0]] == frames(found)[1:]


def test_amb8465_lengths_may_leave_the_strength_out() -> None:
    """Some firmwares count the last byte of signal strength, some do not."""
    counted = amber(FRAMES[0])
    payload = FRAMES[0][1:] + bytes([(RSSI_DBM + 74) * 2 % 256])
    uncounted = bytes([0xFF, AMBER_RECEIVED, len(payload) - 1]) + payload
    check = 0
    for byte in uncounted:
        check ^= byte
    for said in (counted, uncounted + bytes([check])):
        assert [StickFrame(FRAMES[0], RSSI_DBM)] == AmberReader().receive_data(said)
    bare = amber_message(AMBER_RECEIVED, FRAMES[0][1:])
    assert [StickFrame(FRAMES[0], None)] == AmberReader(has_rssi=False).receive_data(bare)


@pytest.mark.parametrize(
    "said",
    [
        cul(FRAMES[0]),
        b"bY" + frame_b(FRAMES[0]).hex().encode() + b"0501\r\n",
        b"b" + frame_a(FRAMES[0]).hex().encode() + b"\r\n",
        frame_b(FRAMES[0]).hex().encode() + b"\n",
        FRAMES[0].hex().encode() + b"\n",
        b"\x00\xff3A" + plain(FRAMES[0]),
    ],
)
def test_lines_of_hex_come_in_many_ways(said: bytes) -> None:
    """Marks, formats A and B, without CRCs, with strength or not, behind noise."""
    assert [FRAMES[0]] == frames(LineReader().receive_data(said))


def test_a_line_that_is_text_is_the_stick_speaking() -> None:
    """As when a CUL tells its mode."""
    assert [StickAnswer(0, b"TMODE")] == LineReader().receive_data(b"TMODE\r\n")
