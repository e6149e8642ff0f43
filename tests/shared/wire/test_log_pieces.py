from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto.backend_cryptography import AesBlock
from shared.wire.errors import BadMac, Malformed, Truncated, WireError
from shared.wire.log_pieces import LogReader, LogWriter

KEY = bytes(range(16))
REQUEST = b"\x01\x02\x03\x04"
Entry = tuple[int, int, int]


def pieces_of(entries: list[Entry], room: int = 20, request: bytes = REQUEST) -> list[bytes]:
    """An answer, as a unit makes it."""
    writer = LogWriter(AesBlock, KEY, request)
    pieces = []
    for entry in entries:
        if not writer.add(room, *entry):
            pieces.append(writer.take() or b"")
            assert writer.add(room, *entry)
    last = writer.take()
    return [*pieces, *([last] if last else []), writer.end()]


def read(pieces: list[bytes], request: bytes = REQUEST) -> LogReader:
    """What an asker makes of an answer."""
    reader = LogReader(AesBlock, KEY, request)
    for piece in pieces:
        reader.receive_data(piece)
    return reader


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """Entries as a unit logs them: in order, mostly half an hour apart, often without a pulse."""
    boot = draw(st.integers(1, 0xFFFFFF00))
    tick_s, count = 0, draw(st.integers(0, 0xFFFFFFFF))
    entries = [(boot, tick_s, count)]
    steps = st.tuples(
        st.sampled_from([0, 0, 0, 0, 0, 1, 14, 191, 192, 8383, 8384, 0xFFFFFFFF]),
        st.sampled_from([0, 0, 0, 0, 1, -1799, 0x7FFF, 0x8000]),
        st.sampled_from([False, False, False, False, False, True]),
    )
    for increment, move_s, is_boot in draw(st.lists(steps, max_size=120)):
        boot, tick_s = (boot + 1, 0) if is_boot else (boot, tick_s + 1800 + move_s)
        count = (count + increment) & 0xFFFFFFFF
        entries.append((boot, tick_s, count))
    return entries


@given(logs(), st.integers(20, 244))
def test_an_answer_reads_as_what_was_logged(entries: list[Entry], room: int) -> None:
    """Whatever the log and the room, every entry comes back and no piece exceeds the room."""
    pieces = pieces_of(entries, room)
    assert entries == read(pieces).entries
    assert all(len(piece) <= room for piece in pieces)


def test_an_empty_answer_is_its_end() -> None:
    """Nothing asked for is there: one piece, which is authentic."""
    (end,) = pieces_of([])
    reader = read([end])
    assert ([], True) == (reader.entries, reader.is_complete)


def test_thirteen_months_are_small() -> None:
    """19,000 half-hours of a home that burns gas a third of the time: below 9,000 bytes."""
    entries = [
        (7, 1800 * index, index // 48 * 370 + min(index % 48, 15) * 24) for index in range(19_000)
    ]
    assert 16_000 > sum(map(len, pieces_of(entries, 244)))


def test_nothing_counts_before_the_end() -> None:
    """Entries are handed out with the MAC that vouches for them."""
    *pieces, _ = pieces_of([(1, 0, 5), (1, 1800, 6)])
    reader = read(pieces)
    assert ([], False) == (reader.entries, reader.is_complete)


@pytest.mark.parametrize("place", range(2))
def test_a_flipped_bit_gives_no_entry(place: int) -> None:
    """Wherever it is: it is an error, or the answer never comes to its end."""
    pieces = pieces_of([(1, 0, 5), (1, 1800, 6), (1, 3600, 6), (1, 5400, 300)])
    for index in range(len(pieces[place])):
        for bit in range(8):
            torn = bytearray(pieces[place])
            torn[index] ^= 1 << bit
            reader = LogReader(AesBlock, KEY, REQUEST)
            with contextlib.suppress(WireError):
                for piece in [*pieces[:place], bytes(torn), *pieces[place + 1 :]]:
                    reader.receive_data(piece)
            assert [] == reader.entries


def test_an_answer_fits_its_request_alone() -> None:
    """A recorded answer is refused by who asked again."""
    with pytest.raises(BadMac):
        read(pieces_of([(1, 0, 5)]), b"another nonce")


def test_a_missing_piece_is_seen() -> None:
    """A notification that was lost is an error at the next one."""
    pieces = pieces_of([(boot, 0, 5) for boot in range(1, 9)])
    with pytest.raises(Malformed, match="piece 1 of the log comes where 0 is due"):
        read(pieces[1:])


def test_a_piece_after_the_end_is_refused() -> None:
    """An answer ends once."""
    (end,) = pieces_of([])
    with pytest.raises(Malformed, match="after its end"):
        read([end, end])


@pytest.mark.parametrize(
    ("piece", "error"),
    [
        ("", Truncated),
        ("00", Truncated),
        ("0000FD010000", Truncated),
        ("0000C1", Truncated),
        ("0000FC00", Truncated),
        ("0000FE", Malformed),
        ("000005", Malformed),
        ("0000FD010000000000000000000000FD010000000000000000000000", Malformed),
        ("0000FD01000000FFFFFFFF0000000005", Malformed),
        ("0000FF", BadMac),
        ("0000FF00000000000000", BadMac),
    ],
)
def test_other_bytes_are_refused(piece: str, error: type[WireError]) -> None:
    """Cut short, without a beginning, out of order or without a MAC."""
    with pytest.raises(error):
        read([bytes.fromhex(piece)])


@given(st.lists(st.binary(max_size=244), max_size=8))
def test_any_bytes_end_in_our_errors(pieces: list[bytes]) -> None:
    """No bytes from the air raise anything else, and none of them is a reading."""
    reader = LogReader(AesBlock, KEY, REQUEST)
    try:
        for number, piece in enumerate(pieces):
            reader.receive_data(number.to_bytes(2, "little") + piece)
    except WireError:
        pass
    assert [] == reader.entries
