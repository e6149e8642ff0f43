from __future__ import annotations

import tracemalloc

import pytest
from dlms_cosem.utils import parse_as_dlms_data
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.dlms.cursor import Cursor
from elec_meter.dlms.data import (
    DEPTH_MAX,
    NULL,
    CompactArray,
    CosemData,
    TypeDescription,
    array,
    data_at,
    decode_data,
    encode_data,
    octets,
    structure,
    uint8,
    uint16,
    uint32,
)
from elec_meter.dlms.errors import (
    EncodingError,
    MalformedError,
    PeerError,
    TooLargeError,
    TruncatedError,
)
from elec_meter.dlms.tags import Tag
from tests.elec_meter.dlms import strategies

CLOCK = bytes.fromhex("090c07d00101ff0c000000800000")
ROWS = TypeDescription(Tag.STRUCTURE, (TypeDescription(Tag.UINT16), TypeDescription(Tag.UINT8)))


@pytest.mark.parametrize(
    ("data", "encoded"),
    [
        (NULL, "00"),
        (CosemData(Tag.BOOLEAN, True), "0301"),
        (CosemData(Tag.BIT_STRING, "1010000011"), "040aa0c0"),
        (CosemData(Tag.INT32, -2), "05fffffffe"),
        (uint32(123_456), "060001e240"),
        (octets(bytes.fromhex("0000010000ff")), "09060000010000ff"),
        (CosemData(Tag.VISIBLE_STRING, "Wh"), "0a025768"),
        (CosemData(Tag.UTF8_STRING, "\N{GREEK SMALL LETTER OMEGA}"), "0c02cf89"),
        (CosemData(Tag.INT16, -60), "10ffc4"),
        (uint16(500), "1201f4"),
        (CosemData(Tag.INT64, -1), "14ffffffffffffffff"),
        (CosemData(Tag.ENUM, 30), "161e"),
        (CosemData(Tag.FLOAT32, 0.25), "173e800000"),
        (CosemData(Tag.DATE, bytes.fromhex("07dd090a02")), "1a07dd090a02"),
        (CosemData(Tag.DONT_CARE), "ff"),
        (structure(CosemData(Tag.INT8, -3), CosemData(Tag.ENUM, 27)), "02020ffd161b"),
        (array(uint8(1), uint8(2)), "010211011102"),
        (
            CosemData(
                Tag.COMPACT_ARRAY,
                CompactArray(
                    ROWS, (structure(uint16(1), uint8(2)), structure(uint16(3), uint8(4)))
                ),
            ),
            "130202121106000102000304",
        ),
        (
            CosemData(
                Tag.COMPACT_ARRAY,
                CompactArray(
                    TypeDescription(Tag.ARRAY, (TypeDescription(Tag.UINT8),), 2),
                    (array(uint8(1), uint8(2)),),
                ),
            ),
            "1301000211020102",
        ),
    ],
)
def test_a_datum_is_these_bytes(data: CosemData, encoded: str) -> None:
    """Both ways."""
    assert encoded == encode_data(data).hex()
    assert data == decode_data(bytes.fromhex(encoded))


@given(strategies.data)
def test_what_is_encoded_is_decoded(data: CosemData) -> None:
    """Every type, in each other."""
    assert data == decode_data(encode_data(data))


@given(strategies.data, st.binary(max_size=3))
def test_a_datum_is_found_however_it_arrives(data: CosemData, tail: bytes) -> None:
    """Its beginnings need more, and what follows it is left alone."""
    encoded = encode_data(data)
    for end in range(len(encoded)):
        with pytest.raises(TruncatedError):
            decode_data(encoded[:end])
    cursor = Cursor(encoded + tail)
    assert data == data_at(cursor)
    assert len(encoded) == cursor.at


@given(st.binary(max_size=200))
def test_any_bytes_are_data_or_refused(noise: bytes) -> None:
    """A typed refusal, and what was read is written as an equal datum."""
    try:
        data = decode_data(noise)
    except PeerError:
        return
    assert encode_data(data) == encode_data(decode_data(encode_data(data)))


@pytest.mark.parametrize("encoded", ["0600", "06", "0905aa", "0102", "02", "13", "130111", ""])
def test_a_beginning_is_refused_at_once(encoded: str) -> None:
    """`06 00`, half a number, sends a library that is known round and round."""
    with pytest.raises(MalformedError):
        decode_data(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    "encoded",
    ["07", "1c", "1301", "1313", "0980", "0985010000000000", "0c02c328", "030000"],
)
def test_no_datum_begins_so(encoded: str) -> None:
    """Unknown types, lengths that are none, strings that are no UTF-8, bytes behind the end."""
    with pytest.raises(MalformedError):
        decode_data(bytes.fromhex(encoded))


BOMBS = {
    "nested structures": b"\x02\x01" * 100_000,
    "nested arrays": b"\x01\x01" * 100_000 + b"\x00",
    "a long array": b"\x01\x84\x7f\xff\xff\xff",
    "a long string": b"\x09\x84\xff\xff\xff\xff",
    "a wide array of nothing": b"\x01\x83\x01\x00\x01" + b"\x00" * 65_537,
    "described arrays in each other": b"\x13" + b"\x01\xff\xff" * 5 + b"\x11\x01\x00",
    "described structures in each other": b"\x13" + b"\x02\x01" * 100_000,
    "elements without bytes": b"\x13\x02\x02\x00\x00\x01\x00",
    "an array of no elements": b"\x13\x01\x00\x00\x11\x01\x00",
    "many elements of little": b"\x13\x01\x01\x00\x02\x02\x00\x11\x83\x01\x00\x00" + bytes(65_536),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_in_bounded_memory(bomb: bytes) -> None:
    """What claims to be more than its bytes is not believed."""
    tracemalloc.start()
    with pytest.raises(PeerError) as refusal:
        decode_data(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not isinstance(refusal.value, TruncatedError)
    assert peak < 20 << 20


def test_data_nests_as_deep_as_stated() -> None:
    """One level more is too deep."""
    deepest = b"\x01\x01" * DEPTH_MAX + b"\x00"
    assert deepest == encode_data(decode_data(deepest))
    with pytest.raises(TooLargeError):
        decode_data(b"\x01\x01" + deepest)


@pytest.mark.parametrize(
    "data",
    [
        uint8(256),
        uint32(-1),
        CosemData(Tag.DATE, b"1234"),
        CosemData(Tag.OCTETS, "text"),
        CosemData(Tag.UINT8, (NULL,)),
        CosemData(Tag.BIT_STRING, "012"),
        CosemData(Tag.VISIBLE_STRING, "\N{EURO SIGN}"),
        CosemData(Tag.COMPACT_ARRAY, CompactArray(ROWS, (uint8(1),))),
        CosemData(Tag.COMPACT_ARRAY, CompactArray(ROWS, (structure(uint16(1)),))),
    ],
)
def test_a_value_that_does_not_fit_is_our_mistake(data: CosemData) -> None:
    """It never becomes bytes."""
    with pytest.raises(EncodingError):
        encode_data(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (uint32(7), 7),
        (structure(uint8(1), octets(b"abc"), NULL), [1, b"abc", None]),
        (array(*(uint16(n) for n in range(300))), list(range(300))),
    ],
)
def test_another_library_reads_it(data: CosemData, value: object) -> None:
    """A client that nobody here wrote finds the same values."""
    assert value == parse_as_dlms_data(encode_data(data))
