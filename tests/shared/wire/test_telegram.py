"""What a pulse unit says, and how it is written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.errors import Malformed, WireError
from shared.wire.profile import unrolled
from shared.wire.records import parse_records
from shared.wire.telegram import (
    FLAG_CLOCK,
    FLAG_EDGES,
    FLAG_LOW_BATTERY,
    FLAG_MAGNET,
    FLAG_NVM,
    FLAG_TAMPER,
    HISTORY_BYTES_MAX,
    LAST_PULSE_AGE_MAX_S,
    PulseTelegram,
    decode_records,
    encode_records,
    status_byte,
)
from shared.wire.values import integer
from tests.shared.wire.samples import unit_telegram
from tests.shared.wire.strategies import telegrams


def example(**changes: object) -> PulseTelegram:
    """A unit that was tampered with, and that tells of two days."""
    fields = {"error_flags": FLAG_TAMPER, "increments": tuple(range(96))}
    return unit_telegram(**{**fields, **changes})


def test_layout() -> None:
    """The table of the pulse link, byte by byte: 156 bytes with 96 half-hours."""
    expected = (
        "04fd3a39300000 041380d61200 042020bf0200 43744d0000 02fd74841c 02fd170100 02fd600200"
        "8404fd3a34300000 8204748403 8d04fdba13 62 511e"
    )
    data = encode_records(example())
    assert bytes.fromhex(expected) + bytes(range(96)) == data
    assert 156 == len(data)


@given(telegrams())
@settings(max_examples=150, deadline=None)
def test_round_trip(telegram: PulseTelegram) -> None:
    """Any telegram comes back, with fillers around it or none."""
    data = encode_records(telegram)
    assert telegram == decode_records(data)
    assert telegram == decode_records(b"\x2f\x2f" + data + b"\x2f\x2f")


@given(telegrams())
@settings(max_examples=60, deadline=None)
def test_any_reader_of_records_sees_the_same(telegram: PulseTelegram) -> None:
    """The generic reader, which knows nothing of our layout, finds the same numbers."""
    found = unrolled(parse_records(encode_records(telegram)), 1 << 32)
    counts = [int.from_bytes(r.data, "little") for r in found if r.vif == b"\xfd\x3a"]
    expected = [telegram.count]
    if telegram.grid_count is not None:
        expected.append(telegram.grid_count)
        for increment in telegram.increments:
            expected.append((expected[-1] - increment) % 2**32)
    assert expected == counts
    if telegram.volume_l is not None and telegram.volume_l > -(2**31):
        assert [telegram.volume_l] == [integer(r) for r in found if r.vif == b"\x13"]


def test_history_fits_its_room() -> None:
    """Bytes while all increments are below 255, else two bytes; what has no room is left out."""
    many = tuple([5] * 200)
    assert 96 == len(decode_records(encode_records(example(increments=many))).increments)
    most = encode_records(example(increments=many), HISTORY_BYTES_MAX)
    assert 206 == len(most)
    assert 146 == len(decode_records(most).increments)
    wide = decode_records(encode_records(example(increments=(255, *many)), 999))
    assert (255, *[5] * 72) == wide.increments
    late = decode_records(encode_records(example(increments=(*[5] * 96, 300))))
    assert many[:96] == late.increments
    cut = decode_records(encode_records(example(increments=(1, 70_000, 3))))
    assert (1,) == cut.increments


def test_all_ones_end_the_history() -> None:
    """An overflow, an earlier boot or a moved phase: nothing behind it is believed."""
    data = encode_records(example(increments=(3, 4, 5)))
    assert (3,) == decode_records(data[:-2] + b"\xff" + data[-1:]).increments
    wide = encode_records(example(increments=(300, 4, 5)))
    assert (300,) == decode_records(wide[:-4] + b"\xff\xff" + wide[-2:]).increments


def test_what_the_unit_does_not_know_is_left_out() -> None:
    """No volume, pulse or tick yet: no record; every 32-bit count is a count."""
    telegram = PulseTelegram(count=0xFFFFFFFF, uptime_s=0)
    data = encode_records(telegram)
    assert telegram == decode_records(data)
    assert (28, None) == (len(data), telegram.grid_tick_s)


def test_age_of_the_last_pulse_saturates() -> None:
    """97 days is the most that three bytes say."""
    data = encode_records(example(last_pulse_age_s=10**9))
    assert LAST_PULSE_AGE_MAX_S == decode_records(data).last_pulse_age_s


def test_tick_in_uptime() -> None:
    """The tick's age counts back from the uptime."""
    assert 179_100 == example().grid_tick_s


@pytest.mark.parametrize(
    "changes",
    [
        {"count": -1},
        {"count": 1 << 32},
        {"volume_l": 1 << 31},
        {"battery_left_d": 1 << 16},
        {"grid_age_s": 1 << 16},
        {"uptime_s": None},
    ],
)
def test_values_out_of_range_are_not_sent(changes: dict[str, object]) -> None:
    """A field that cannot hold its value is a `Malformed` telegram, not a wrong one."""
    with pytest.raises(Malformed):
        encode_records(example(**changes))


def test_every_shorter_telegram_is_refused() -> None:
    """Cut anywhere inside, a telegram lacks a record; cut before its history it is whole."""
    data = encode_records(example())
    whole = {len(data) - 96 - 8, len(data) - 96 - 8 - 13}  # before the profile, before the tick
    for end in range(len(data)):
        if end not in whole:
            with pytest.raises(WireError):
                decode_records(data[:end])


@pytest.mark.parametrize(
    "data",
    [
        encode_records(example()) + b"\x04\x13" + bytes(4),
        encode_records(example())[7:],
        encode_records(example()).replace(b"\x04\x20", b"\x04\x24"),
        encode_records(example()).replace(b"\x51\x1e", b"\x61\x1e"),
        encode_records(example()).replace(b"\x51\x1e", b"\x51\x0f"),
        encode_records(example(increments=())).replace(b"\x82\x04\x74", b"\x82\x04\x70"),
        encode_records(example(increments=(300,)))[:-1].replace(b"\x04\x52", b"\x03\x52"),
    ],
)
def test_other_records_are_malformed(data: bytes) -> None:
    """A record missing, repeated, unknown or out of order is not one of our telegrams."""
    with pytest.raises(Malformed):
        decode_records(data)


@given(st.binary(max_size=120))
@settings(max_examples=100)
def test_any_bytes_give_a_telegram_or_a_typed_error(tail: bytes) -> None:
    """Nothing but `WireError` leaves the decoder."""
    for data in (tail, encode_records(example(increments=()))[: len(tail)] + tail):
        try:
            decode_records(data)
        except WireError:
            continue


def test_telegrams_are_values() -> None:
    """Equal telegrams are equal, hash alike, and show what they know."""
    assert example() == example()
    assert hash(example()) == hash(example())
    assert example() != example(count=1)
    assert example() != "telegram"
    shown = (
        "PulseTelegram(count=1, uptime_s=2, battery_left_d=0, error_flags=0, reset_counter=0, "
        "increments=())"
    )
    assert shown == repr(PulseTelegram(count=1, uptime_s=2))


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        (0, 0),
        (FLAG_LOW_BATTERY, 0x04),
        (FLAG_NVM, 0x08),
        (FLAG_CLOCK, 0x10),
        (FLAG_EDGES, 0x10),
        (FLAG_TAMPER, 0x20),
        (FLAG_MAGNET, 0x40),
        (FLAG_TAMPER | FLAG_LOW_BATTERY, 0x24),
    ],
)
def test_status_byte(flags: int, status: int) -> None:
    """Battery and errors have the standard's bits, tamper and magnet the maker's."""
    assert status == status_byte(flags)
