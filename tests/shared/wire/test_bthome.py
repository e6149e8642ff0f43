"""BTHome v2 adverts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.crypto.backend_cryptography import AesBlock
from shared.wire.bthome import advert_key, open_advert, parse_objects, seal_advert
from shared.wire.bthome_objects import OBJECTS
from shared.wire.errors import BadMac, KeyNeeded, Malformed, Truncated, Unsupported, WireError
from tests.shared.wire.strategies import COUNTERS, KEYS, damaged

# The example of bthome.io, as bthome-ble tests it (MIT)
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
ADDRESS = bytes.fromhex("5448e68f80a5")
SEALED = bytes.fromhex("41a47266c95f730011223378237214")
OBJECTS_SEALED = bytes.fromhex("02ca0903bf13")

ADDRESSES = st.binary(min_size=6, max_size=6)

# Objects of the format's table: bytes, quantity, value, power of ten, unit
EXAMPLES = [
    ("0009", "packet_id", 9, 0, ""),
    ("0161", "battery", 97, 0, "%"),
    ("02ca09", "temperature", 2506, -2, "C"),
    ("02f6ff", "temperature", -10, -2, "C"),
    ("03bf13", "humidity", 5055, -2, "%"),
    ("04138a01", "pressure", 100883, -2, "hPa"),
    ("3e2a2c0960", "count", 1611213866, 0, ""),
    ("424e3400", "duration", 13390, -3, "s"),
    ("4b138a01", "volume", 100883, -3, "m3"),
    ("4c41018a01", "volume", 25821505, -3, "m3"),
    ("4d12138a14", "energy", 344593170, -3, "kWh"),
    ("478756", "volume", 22151, -4, "m3"),
    ("4e87562a01", "volume", 19551879, -6, "m3"),
    ("58ea", "temperature", -770, -2, "C"),
    ("1501", "battery_low", 1, 0, ""),
    ("2b00", "tamper", 0, 0, ""),
    ("530c48656c6c6f20576f726c6421", "text", "Hello World!", 0, ""),
    ("5403010203", "raw", "010203", 0, ""),
]


@pytest.mark.parametrize(("data", "quantity", "value", "exponent", "unit"), EXAMPLES)
def test_objects(data: str, quantity: str, value: int | str, exponent: int, unit: str) -> None:
    """Each object is its number's quantity, exactly."""
    (found,) = parse_objects(bytes.fromhex(data))
    assert (quantity, value, exponent, unit) == (
        found.quantity,
        found.value,
        found.exponent,
        found.unit,
    )


def test_published_advert() -> None:
    """The format's own example opens, and seals to the same bytes."""
    advert = open_advert(AesBlock, SEALED, ADDRESS, KEY)
    assert ("ccm", 0x33221100) == (advert.security, advert.counter)
    assert [2506, 5055] == [found.value for found in advert.measurements]
    assert SEALED == seal_advert(AesBlock, KEY, ADDRESS, OBJECTS_SEALED, 0x33221100, 0x41)


def test_plain_advert() -> None:
    """In clear, with or without the sender's address in front, it needs no key."""
    for head in ("40", "44", "42a58068e64854"):
        advert = open_advert(AesBlock, bytes.fromhex(head) + OBJECTS_SEALED, ADDRESS, None)
        assert ("none", None) == (advert.security, advert.counter)
        assert [2506, 5055] == [found.value for found in advert.measurements]


@given(KEYS, ADDRESSES, COUNTERS, st.lists(st.sampled_from(EXAMPLES), max_size=4))
@settings(max_examples=50)
def test_round_trip(key: bytes, address: bytes, counter: int, chosen: list[tuple]) -> None:
    """Any advert opens under its key and address."""
    objects = b"".join(bytes.fromhex(example[0]) for example in chosen)
    sealed = seal_advert(AesBlock, key, address, objects, counter)
    advert = open_advert(AesBlock, sealed, address, key)
    assert counter == advert.counter
    assert [example[2] for example in chosen] == [found.value for found in advert.measurements]


@given(st.data())
@settings(max_examples=80)
def test_changed_advert_never_opens(data: st.DataObject) -> None:
    """Turned bits are a typed error; to deny the sealing is to be read as something else."""
    changed = data.draw(damaged(SEALED))
    try:
        advert = open_advert(AesBlock, changed, ADDRESS, KEY)
    except WireError:
        return
    assert "none" == advert.security


def test_refusals_are_named() -> None:
    """No key, a wrong key or address, another version, unknown objects and cut ones."""
    with pytest.raises(KeyNeeded):
        open_advert(AesBlock, SEALED, ADDRESS, None)
    with pytest.raises(BadMac):
        open_advert(AesBlock, SEALED, ADDRESS, bytes(16))
    with pytest.raises(BadMac):
        open_advert(AesBlock, SEALED, bytes(6), KEY)
    with pytest.raises(Malformed, match="6 bytes"):
        open_advert(AesBlock, SEALED, bytes(5), KEY)
    with pytest.raises(Unsupported, match="version"):
        open_advert(AesBlock, b"\xe1" + SEALED[1:], ADDRESS, KEY)
    with pytest.raises(Unsupported, match="object"):
        parse_objects(b"\xee\x01")
    with pytest.raises(Malformed, match="UTF-8"):
        parse_objects(b"\x53\x02\xff\xfe")
    with pytest.raises(Malformed, match="information"):
        seal_advert(AesBlock, KEY, ADDRESS, b"", 1, 0x40)
    for end in range(9):
        with pytest.raises(Truncated):
            open_advert(AesBlock, SEALED[:end], ADDRESS, KEY)


@given(st.binary(max_size=40))
@settings(max_examples=100)
def test_any_bytes_give_an_advert_or_a_typed_error(data: bytes) -> None:
    """Nothing but `WireError` leaves the parser."""
    try:
        advert = open_advert(AesBlock, data, ADDRESS, KEY)
    except WireError:
        return
    assert len(advert.measurements) <= len(data)


def test_every_object_can_be_cut() -> None:
    """Each object of the table asks for all its bytes."""
    for number, (_, _, size, *_) in OBJECTS.items():
        assert 1 == len(parse_objects(bytes([number]) + bytes(size)))
        with pytest.raises(Truncated):
            parse_objects(bytes([number]) + bytes(size - 1))


def test_key_of_adverts() -> None:
    """A unit's adverts have a key of their own, bound to its address."""
    assert KEY != advert_key(AesBlock, KEY, ADDRESS) != advert_key(AesBlock, KEY, bytes(6))
