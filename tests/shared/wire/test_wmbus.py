"""Radio frames: CRC blocks of formats A and B."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.crc import checksum, crc_en13757
from shared.wire.errors import BadCrc, Malformed, Truncated, WireError
from shared.wire.wmbus import frame_a, frame_b, unframe
from tests.shared.wire.samples import GAS_FRAMED, GAS_LINK
from tests.shared.wire.strategies import damaged

LINKS = st.binary(min_size=9, max_size=255).map(lambda rest: bytes([len(rest)]) + rest)


def test_the_crc_is_the_catalogued_one() -> None:
    """The check value of CRC-16/EN-13757 in the catalogue of parametrised CRCs, and of nothing."""
    assert 0xC2B7 == crc_en13757(b"123456789")
    assert 0xFFFF == crc_en13757(b"")


def test_the_check_sum_is_a_sum() -> None:
    """All bytes added, modulo 256."""
    assert 0x5C == checksum(bytes.fromhex("5b01"))
    assert 0x01 == checksum(b"\xff\x02")


def test_published_frame_loses_its_crcs() -> None:
    """The annex's frame in format A is the annex's frame."""
    assert GAS_LINK == unframe(GAS_FRAMED)
    assert GAS_FRAMED == frame_a(GAS_LINK)


@given(LINKS)
@settings(max_examples=50)
def test_format_a_round_trip(link: bytes) -> None:
    """Any link frame comes back from format A, named or found out."""
    framed = frame_a(link)
    assert link == unframe(framed)
    assert link == unframe(framed, "A")


@given(LINKS)
@settings(max_examples=50)
def test_format_b_round_trip(link: bytes) -> None:
    """Any link frame short enough comes back from format B, named or found out."""
    if len(link) > 254 - (2 if len(link) > 126 else 0):
        with pytest.raises(Malformed):
            frame_b(link)
        return
    framed = frame_b(link)
    assert framed[0] == len(framed) - 1
    assert link == unframe(framed, "B")
    assert link == unframe(framed)


def test_format_b_has_its_second_crc_behind_128_bytes() -> None:
    """126 bytes of frame need one CRC, 127 need two."""
    for length, crcs in ((126, 1), (127, 2), (200, 2)):
        link = bytes([length - 1]) + bytes(range(1, length))
        framed = frame_b(link)
        assert length + 2 * crcs == len(framed)
        assert crc_en13757(framed[:126]).to_bytes(2, "big") == framed[126:128]


@given(st.data())
@settings(max_examples=60)
def test_damage_is_seen(data: st.DataObject) -> None:
    """Up to three turned bits in format A are a `WireError`: the code's distance is six."""
    link = data.draw(LINKS)
    with pytest.raises(WireError):
        unframe(data.draw(damaged(frame_a(link))), "A")


def test_every_shorter_frame_is_truncated() -> None:
    """A format A frame cut anywhere is refused, mostly as `Truncated`."""
    for end in range(len(GAS_FRAMED)):
        with pytest.raises(WireError):
            unframe(GAS_FRAMED[:end], "A")
        if end < 47:
            with pytest.raises(Truncated):
                unframe(GAS_FRAMED[:end])


@pytest.mark.parametrize("form", [None, "A", "B", "none"])
@given(data=st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_give_a_frame_or_a_typed_error(form: str | None, data: bytes) -> None:
    """Nothing but `WireError` leaves the decoder."""
    try:
        link = unframe(data, form)
    except WireError:
        return
    assert link[0] == len(link) - 1


def test_odd_frames_are_named() -> None:
    """Too long, too short an L field, and a wrong CRC have their own errors."""
    with pytest.raises(Malformed, match="fit no frame"):
        unframe(GAS_LINK + b"\x00")
    with pytest.raises(Malformed, match="too many"):
        unframe(GAS_FRAMED + b"\x00", "A")
    with pytest.raises(Malformed, match="no room"):
        unframe(b"\x08" + bytes(11))
    with pytest.raises(BadCrc):
        unframe(GAS_FRAMED[:-1] + b"\x00")
    with pytest.raises(BadCrc):
        unframe(GAS_LINK, "B")
    for encode in (frame_a, frame_b):
        with pytest.raises(Malformed, match="L field"):
            encode(b"\x00" + bytes(20))
