"""Data records: cutting, writing, and what must not pass."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.errors import Malformed, Truncated, Unsupported, WireError
from shared.wire.records import Record, encode_record, parse_records
from tests.shared.wire.strategies import records

# Annex N.2 of OMS Vol. 2: volume, date and time, error flags
GAS = bytes.fromhex("0c14270485 02046d32371f1502fd170000")
GAS_RECORDS = [
    Record(12, b"\x14", bytes.fromhex("27048502")),
    Record(4, b"\x6d", bytes.fromhex("32371f15")),
    Record(2, b"\xfd\x17", bytes(2)),
]

# Where a record stands, by DIF and DIFEs: (function, storage, tariff, subunit)
PLACES = [
    ("04130000 0000", (0, 0, 0, 0)),
    ("5413000000 00", (1, 1, 0, 0)),
    ("641300000000", (2, 1, 0, 0)),
    ("341300000000", (3, 0, 0, 0)),
    ("84041300000000", (0, 8, 0, 0)),
    ("c4011300000000", (0, 3, 0, 0)),
    ("8410130000 0000", (0, 0, 1, 0)),
    ("84401300000000", (0, 0, 0, 1)),
    ("848040130000 0000", (0, 0, 0, 2)),
    ("8480 01 1300000000", (0, 32, 0, 0)),
    ("c4818100 1300000000", (0, 35, 0, 0)),
    ("84b000 1300000000", (0, 0, 3, 0)),
    ("849040 1300000000", (0, 0, 1, 2)),
]


def test_published_records() -> None:
    """The annex's gas meter has three records, fillers left out."""
    assert GAS_RECORDS == parse_records(GAS)
    assert GAS_RECORDS == parse_records(b"\x2f\x2f" + GAS + b"\x2f" * 9)
    assert GAS == b"".join(encode_record(record) for record in GAS_RECORDS)


@pytest.mark.parametrize(("data", "place"), PLACES)
def test_place_of_a_record(data: str, place: tuple[int, int, int, int]) -> None:
    """Function, storage, tariff and subunit gather their bits from DIF and DIFEs."""
    (record,) = parse_records(bytes.fromhex(data))
    assert place == (record.function, record.storage, record.tariff, record.subunit)


def test_units_in_words() -> None:
    """A plain text VIF carries its unit backwards, before its VIFEs."""
    (record,) = parse_records(bytes.fromhex("02fc0348522574d411"))
    assert ("%RH", b"\xfc\x74", b"\xd4\x11") == (record.text, record.vif, record.data)


def test_makers_own_data_end_the_records() -> None:
    """Behind 0F or 1F all is the maker's; 1F announces more messages."""
    own, more = (parse_records(bytes.fromhex(f"0113052f{dif}0413")) for dif in ("0f", "1f"))
    assert Record(15, b"", b"\x04\x13") == own[1]
    assert Record(15, b"", b"\x04\x13", more=True) == more[1]


@given(st.lists(records(), max_size=4))
@settings(max_examples=80, deadline=None)
def test_round_trip(written: list[Record]) -> None:
    """Any records come back as they were written."""
    data = b"".join(encode_record(record) for record in written)
    assert written == parse_records(data)


@given(records())
@settings(max_examples=30, deadline=None)
def test_every_shorter_record_is_truncated(record: Record) -> None:
    """Cut anywhere but at its start, a record is `Truncated`."""
    data = encode_record(record)
    for end in range(1, len(data)):
        with pytest.raises(Truncated):
            parse_records(data[:end])


@given(st.binary(max_size=250))
@settings(max_examples=150)
def test_any_bytes_give_records_or_a_typed_error(data: bytes) -> None:
    """Nothing but `WireError` leaves the parser, and no more records than bytes."""
    try:
        found = parse_records(data)
    except WireError:
        return
    assert len(found) <= len(data)


@pytest.mark.parametrize("dif", ["3f", "4f", "5f", "6f", "7f"])
def test_reserved_data_fields_are_unsupported(dif: str) -> None:
    """A special data field nobody has defined cannot be stepped over."""
    with pytest.raises(Unsupported):
        parse_records(bytes.fromhex(dif))


def test_too_many_extensions_are_malformed() -> None:
    """Eleven DIFEs, eleven VIFEs, or a text of 192 letters."""
    with pytest.raises(Malformed, match="DIFE"):
        parse_records(b"\x84" * 11 + b"\x04\x13" + bytes(4))
    with pytest.raises(Malformed, match="VIFE"):
        parse_records(b"\x04" + b"\x93" * 11 + b"\x13" + bytes(4))
    with pytest.raises(Malformed, match="text"):
        parse_records(b"\x04\x7c\xc0" + bytes(200))


@pytest.mark.parametrize("length", [0xCA, 0xDF, 0xF7, 0xFF])
def test_reserved_lengths_are_unsupported(length: int) -> None:
    """A length code nobody has defined cannot be stepped over."""
    with pytest.raises(Unsupported, match="length code"):
        parse_records(bytes([0x0D, 0x13, length]) + bytes(80))


def test_what_cannot_be_written() -> None:
    """A storage number of 42 bits, a text too long or of other letters."""
    with pytest.raises(Malformed, match="storage"):
        encode_record(Record(1, b"\x13", b"\x00", storage=1 << 41))
    with pytest.raises(Malformed, match="characters"):
        encode_record(Record(1, b"\x7c", b"\x00", text="x" * 192))
    with pytest.raises(Malformed, match="8859-1"):
        encode_record(Record(1, b"\x7c", b"\x00", text="€"))


def test_records_are_values() -> None:
    """Equal records are equal and hash alike; the text of one shows where it stands."""
    again = Record(12, b"\x14", bytes.fromhex("27048502"))
    assert GAS_RECORDS[0] == again
    assert hash(GAS_RECORDS[0]) == hash(again)
    assert again != Record(12, b"\x14", bytes.fromhex("27048502"), storage=1)
    assert again != "record"
    shown = "Record(12, 14, 27048502, function=0, storage=0, tariff=0, subunit=0)"
    assert shown == repr(again)
