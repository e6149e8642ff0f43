"""Compact frames: published ones, learnt formats, and what must not pass."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.crypto.backend_cryptography import AesBlock
from shared.wire.compact import _KNOWN, FORMATS_MAX, Formats
from shared.wire.crc import crc_en13757
from shared.wire.errors import BadCrc, Truncated, Unsupported, WireError
from shared.wire.oms import open_telegram
from shared.wire.records import cut_heads, heads_of

# A Kamstrup water meter's full and compact telegram, deciphered: public test telegrams of
# wmbusmeters
FULL = bytes.fromhex("02ff207100041308190000441308190000615b7f616713")
COMPACT = bytes.fromhex("eda86ab6710008190000081900007f13")
# And with another maker's heads, that no table has
OTHER = bytes.fromhex("0c1304030201 426c5f2c 8410 0310270000")


def compacted(records: bytes) -> bytes:
    """A compact frame's content, as its meter would make it."""
    heads = heads_of(records)
    values = b""
    rest = records
    for head, size in cut_heads(heads):
        values += rest[len(head) : len(head) + size]
        rest = rest[len(head) + size :]
    crcs = (crc_en13757(heads), crc_en13757(records))
    return b"".join(crc.to_bytes(2, "little") for crc in crcs) + values


def test_published_compact_frame_says_what_the_full_one_says() -> None:
    """Kamstrup's format is known: signature, values and CRC are those of the full frame."""
    assert FULL == Formats().expand(COMPACT)
    assert COMPACT == compacted(FULL)


def test_format_is_learnt_from_a_full_frame() -> None:
    """What nobody has published is unknown until the meter has said it in full."""
    formats = Formats()
    with pytest.raises(Unsupported, match="not yet seen"):
        formats.expand(compacted(OTHER))
    formats.learn(b"\x2f\x2f" + OTHER + b"\x2f\x2f")
    assert OTHER == formats.expand(compacted(OTHER))


def test_fillers_behind_the_values_stay() -> None:
    """An enciphered compact frame is filled up like any other."""
    assert FULL + b"\x2f\x2f" == Formats().expand(COMPACT + b"\x2f\x2f")


@pytest.mark.parametrize("place", range(2, 16))
def test_changed_values_are_refused(place: int) -> None:
    """The CRC is over the full frame's records: no changed value passes."""
    changed = bytearray(COMPACT)
    changed[place] ^= 1
    with pytest.raises(BadCrc):
        Formats().expand(bytes(changed))


def test_cut_values_are_refused() -> None:
    """Values that end early are no frame."""
    for length in range(4, len(COMPACT)):
        with pytest.raises(Truncated):
            Formats().expand(COMPACT[:length])


def test_formats_are_bounded() -> None:
    """A meter that changes its format for ever leaves the newest few."""
    formats = Formats()
    heads = [bytes([0x04, 0x13] * count) for count in range(1, FORMATS_MAX + 9)]
    for each in heads:
        formats.learn(b"".join(head + bytes(size) for head, size in cut_heads(each)))
    assert heads[-FORMATS_MAX:] == formats._learnt


def test_variable_lengths_have_no_format() -> None:
    """A text or a maker's own block is learnt from by nobody."""
    formats = Formats()
    for digits in ("0d1303414243", "0413000000000f01", "0413", ""):
        formats.learn(bytes.fromhex(digits))
    assert [] == formats._learnt


@pytest.mark.parametrize(
    ("header", "serial"),
    [("79", "12345678"), ("7b07000000", "12345678"), ("73030000009315330307000000", "00000003")],
)
def test_compact_frames_have_the_headers_of_full_ones(header: str, serial: str) -> None:
    """CI 79, 7B and 73 are 78, 7A and 72 in front of values alone."""
    link = bytes.fromhex("44 9315 78563412 3303" + header) + COMPACT
    message = open_telegram(AesBlock, bytes([len(link)]) + link, None)
    assert message.header.is_compact
    assert (serial, COMPACT) == (message.serial, message.records)


@given(st.binary(max_size=40))
@settings(max_examples=100)
def test_any_bytes_give_records_or_a_typed_error(content: bytes) -> None:
    """Nothing else leaves the reader, whatever it has learnt."""
    formats = Formats()
    formats.learn(content)
    with contextlib.suppress(WireError):
        formats.expand(content)


@pytest.mark.parametrize("has_length", [True, False])
def test_format_is_learnt_from_a_format_frame(has_length: bool) -> None:
    """A format frame names the records of the compact frames that follow it."""
    formats, heads = Formats(), heads_of(OTHER)
    content = crc_en13757(heads).to_bytes(2, "little") + heads
    content = bytes([len(content)]) + content if has_length else content
    assert heads == formats.learn_format(content)
    assert OTHER == formats.expand(compacted(OTHER))


@pytest.mark.parametrize("place", range(10))
def test_changed_format_frame_teaches_nothing(place: int) -> None:
    """Its signature is over all heads."""
    heads = heads_of(OTHER)
    content = bytearray(crc_en13757(heads).to_bytes(2, "little") + heads)
    content[place % len(content)] ^= 4
    formats = Formats()
    with pytest.raises(WireError):
        formats.learn_format(bytes(content))
    with pytest.raises(Unsupported):
        formats.expand(compacted(OTHER))


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x01\x00", b"\xff\xff", bytes(3)])
def test_format_frame_without_a_format_is_refused(content: bytes) -> None:
    """Whatever is missing."""
    with pytest.raises(WireError):
        Formats().learn_format(content)


@pytest.mark.parametrize("known", _KNOWN)
def test_published_formats_are_whole(known: str) -> None:
    """Each names whole records of fixed lengths, and expands what was made by it."""
    records = b"".join(head + bytes(size) for head, size in cut_heads(bytes.fromhex(known)))
    assert bytes.fromhex(known) == heads_of(records)
    assert records == Formats().expand(compacted(records))
