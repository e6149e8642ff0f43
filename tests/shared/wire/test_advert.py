"""What a unit advertises, opened here and by bthome-ble."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.crypto.backend_cryptography import AesBlock
from shared.wire.advert import (
    ADVERTISING_MAX,
    AGE_MAX_MS,
    AGE_UNKNOWN_MS,
    SERVICE_DATA_MAX,
    advert_key,
    advertising_data,
    count_objects,
    seal_advert,
    state_objects,
)
from shared.wire.bthome import open_advert
from shared.wire.errors import Malformed
from shared.wire.telegram import FLAG_LOW_BATTERY, FLAG_MAGNET, FLAG_NVM, FLAG_TAMPER
from tests.shared.wire.strategies import COUNTERS, KEYS

READER = Path(__file__).with_name("bthome_reader.py")
UNIT_KEY = bytes(range(16))
ADDRESS = bytes.fromhex("c0ffee123456")
ADVERT_KEY = advert_key(AesBlock, UNIT_KEY, ADDRESS)
COUNT = count_objects(7, 12345, 77)
STATE = state_objects(8, 93, FLAG_MAGNET, 1_234_567)

AGES = st.none() | st.integers(0, 1 << 32)
VOLUMES = st.none() | st.integers(-(1 << 31), (1 << 32) + 5)


def sealed(objects: bytes, counter: int = 1000) -> bytes:
    """The service data of an advert of the tests' unit."""
    return seal_advert(AesBlock, ADVERT_KEY, ADDRESS, objects, counter)


def opened(service_data: bytes, address: bytes = ADDRESS, key: bytes = ADVERT_KEY) -> dict:
    """What an advert says: numbers by quantity."""
    found = open_advert(AesBlock, service_data, address, key).measurements
    return {measurement.quantity: measurement.value for measurement in found}


def test_objects_are_these_bytes() -> None:
    """Numbers ascend, values have their low byte first."""
    assert "0007 3e39300000 42c82c01".replace(" ", "") == COUNT.hex()
    assert "0008 015d 1500 2b01 4c87d61200".replace(" ", "") == STATE.hex()


@pytest.mark.parametrize(
    ("age_s", "sent"),
    [
        (None, AGE_UNKNOWN_MS),
        (0, 0),
        (16_777, 16_777_000),
        (16_778, AGE_MAX_MS),
        (1 << 40, AGE_MAX_MS),
    ],
)
def test_age_saturates_and_may_be_unknown(age_s: int | None, sent: int) -> None:
    """All ones stand for unknown alone; what is older than the field can say is its greatest."""
    assert sent == int.from_bytes(count_objects(0, 0, age_s)[-3:], "little")


@pytest.mark.parametrize("volume_l", [None, -1, 1 << 32])
def test_volume_that_cannot_be_told_is_left_out(volume_l: int | None) -> None:
    """Rather no gas object than one that lies."""
    assert "00ff 0164 1500 2b00".replace(" ", "") == state_objects(255, 100, 0, volume_l).hex()


@pytest.mark.parametrize(
    ("flags", "low", "tamper"),
    [
        (0, 0, 0),
        (FLAG_LOW_BATTERY, 1, 0),
        (FLAG_TAMPER, 0, 1),
        (FLAG_MAGNET, 0, 1),
        (FLAG_NVM, 0, 0),
    ],
)
def test_flags_have_their_objects(flags: int, low: int, tamper: int) -> None:
    """Low battery is one; an open loop and a magnet are both tampering; others are not here."""
    told = opened(sealed(state_objects(0, 50, flags, None)))
    assert (low, tamper) == (told["battery_low"], told["tamper"])


def test_advertising_data_are_flags_and_service_data() -> None:
    """Each advert is the flags and one service data element, within a legacy advertisement."""
    for objects, length in ((COUNT, 27), (STATE, 29)):
        service_data = sealed(objects)
        data = advertising_data(service_data)
        assert length == len(data) <= ADVERTISING_MAX
        assert f"020106{len(service_data) + 3:02x}16d2fc" == data[:7].hex()
        assert service_data == data[7:]
    assert ADVERTISING_MAX == len(advertising_data(bytes(SERVICE_DATA_MAX)))


def test_what_cannot_be_advertised() -> None:
    """Values beyond their objects, and more than a legacy advertisement holds."""
    for count in (-1, 1 << 32):
        with pytest.raises(Malformed, match="count"):
            count_objects(0, count, None)
    with pytest.raises(Malformed, match="age"):
        count_objects(0, 0, -1)
    for percent in (-1, 101):
        with pytest.raises(Malformed, match="battery"):
            state_objects(0, percent, 0, None)
    with pytest.raises(Malformed, match="legacy"):
        advertising_data(bytes(SERVICE_DATA_MAX + 1))
    for counter in (-1, 1 << 32):
        with pytest.raises(Malformed, match="32 bits"):
            sealed(COUNT, counter)


@given(
    KEYS,
    st.binary(min_size=6, max_size=6),
    COUNTERS,
    st.tuples(COUNTERS, AGES, st.integers(0, 100), st.integers(0, 0xFFFF), VOLUMES),
)
@settings(max_examples=60)
def test_both_adverts_open_as_they_were_sealed(
    key: bytes,
    address: bytes,
    counter: int,
    said: tuple[int, int | None, int, int, int | None],
) -> None:
    """Whatever a unit says opens under its key and address, and fits."""
    count, age_s, percent, flags, volume_l = said
    adverts = [
        seal_advert(AesBlock, key, address, objects, counter)
        for objects in (
            count_objects(counter, count, age_s),
            state_objects(counter, percent, flags, volume_l),
        )
    ]
    assert all(len(advertising_data(advert)) <= ADVERTISING_MAX for advert in adverts)
    told = opened(adverts[0], address, key)
    age_ms = AGE_UNKNOWN_MS if age_s is None else min(age_s * 1000, AGE_MAX_MS)
    assert {"packet_id": counter & 0xFF, "count": count, "duration": age_ms} == told
    told = opened(adverts[1], address, key)
    assert (counter & 0xFF, percent) == (told["packet_id"], told["battery"])
    is_told = volume_l is not None and 0 <= volume_l < 1 << 32
    assert (volume_l if is_told else None) == told.get("volume")


def read(*receivers: list[tuple[float, bytes]]) -> list[list[dict[str, Any]]]:
    """What bthome-ble shows of adverts heard at these seconds, for each receiver.

    It runs as a process of its own: one of the libraries below it has another licence than ours.
    """
    asked = [
        {
            "address": ADDRESS.hex(":").upper(),
            "key": ADVERT_KEY.hex(),
            "heard": [(seconds, data.hex()) for seconds, data in heard],
        }
        for heard in receivers
    ]
    done = subprocess.run(
        [sys.executable, str(READER)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return json.loads(done.stdout)


def test_the_other_reader_shows_both_adverts() -> None:
    """Count, age in seconds, battery, its low flag, tamper and gas in m3, by their own names."""
    low = state_objects(9, 0, FLAG_LOW_BATTERY, None)
    told = read(*([(0.0, advertising_data(sealed(objects)))] for objects in (COUNT, STATE, low)))
    ((count,), (state,), (low_state,)) = told
    assert {"packet_id": 7, "count": 12345, "duration": 77} == count["numbers"]
    assert {"packet_id": 8, "battery": 93, "gas": 1234.567} == state["numbers"]
    assert {"battery": False, "tamper": True} == state["flags"]
    assert {"packet_id": 9, "battery": 0} == low_state["numbers"]
    assert {"battery": True, "tamper": False} == low_state["flags"]
    assert ("s", "%", "m³") == (
        count["units"]["duration"],
        state["units"]["battery"],
        state["units"]["gas"],
    )
    assert all(told["sleepy"] for told in (count, state, low_state))


def test_the_other_reader_takes_no_changed_advert() -> None:
    """Whichever bit of the service data is turned, it shows nothing."""
    data = advertising_data(sealed(STATE))
    changed = []
    for bit in range(8 * 7, 8 * len(data)):
        turned = bytearray(data)
        turned[bit // 8] ^= 1 << bit % 8
        changed.append([(0.0, bytes(turned))])
    shown = read([(0.0, data)], *changed)
    assert 1234.567 == shown[0][0]["numbers"]["gas"]
    assert 8 * 22 == len(changed)
    assert all({} == told["numbers"] == told["flags"] for (told,) in shown[1:])


def test_how_the_other_reader_treats_counters_and_ids() -> None:
    """It drops a falling counter, and for four seconds an old packet id: ours only rise.

    It takes a falling counter that is below 100, for a sender may have lost its own.
    """

    def advert(packet_id: int, counter: int) -> bytes:
        return advertising_data(sealed(count_objects(packet_id, counter, None), counter))

    falling, small, repeated = read(
        [(0.0, advert(1, 1000)), (60.0, advert(2, 999)), (120.0, advert(3, 1001))],
        [(0.0, advert(1, 1000)), (60.0, advert(2, 99))],
        [(0.0, advert(1, 1000)), (1.0, advert(1, 1001)), (9.0, advert(1, 1002))],
    )
    counts = [[each["numbers"]["count"] for each in told] for told in (falling, small, repeated)]
    assert [[1000, 1000, 1001], [1000, 99], [1000, 1000, 1002]] == counts
