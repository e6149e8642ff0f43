"""A low battery and tampering are told once each time they begin, whichever way they come."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from collector import (
    Collector,
    Event,
    LowBattery,
    MemoryKeystore,
    Readings,
    ReceivedFrame,
    TamperSeen,
    UnitPairedError,
    UnitUnknownError,
)
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.advert import advert_key, count_objects, seal_advert, state_objects
from shared.wire.telegram import FLAG_CLOCK, FLAG_LOW_BATTERY, FLAG_MAGNET, FLAG_TAMPER
from tests.collector.frames import KEY, SERIAL, at, heard, received, record

ADDRESS = bytes.fromhex("C0FFEE123456")


class Told:
    """A collector in memory, a unit's frames, and what it tells of alarms."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.collector = Collector(self.connection, MemoryKeystore(), at(0))
        self.collector.pair(record(address=ADDRESS), KEY, at(0))
        self.sent = 0

    def restart(self) -> None:
        """Build the collector again."""
        self.collector = Collector(self.connection, MemoryKeystore({SERIAL: KEY}), at(self.sent))

    def telegram(self, flags: int, counter: int | None = None) -> list[Event]:
        """A telegram with these flags."""
        self.sent += 1
        number = self.sent if counter is None else counter
        return self.hear(heard(3, self.sent, number, error_flags=flags, battery_left_d=70))

    def advert(self, flags: int, counter: int | None = None) -> list[Event]:
        """An advert of the unit's state with these flags."""
        self.sent += 1
        number = self.sent if counter is None else counter
        return self.hear(advert(state_objects(number & 0xFF, 5, flags, None), number))

    def hear(self, frame: ReceivedFrame) -> list[Event]:
        """Whatever is told of battery and tampering."""
        told = self.collector.receive(frame, at(self.sent))
        return [event for event in told if isinstance(event, (LowBattery, TamperSeen))]

    @property
    def flags(self) -> int | None:
        """What is shown to be up."""
        return self.collector.state(SERIAL).error_flags


def advert(objects: bytes, counter: int) -> ReceivedFrame:
    """An advert with these objects."""
    sealed = seal_advert(AesBlock, advert_key(AesBlock, KEY, ADDRESS), ADDRESS, objects, counter)
    return replace(received(sealed, counter, 60), address=ADDRESS)


@pytest.fixture
def told() -> Told:
    """A paired unit that was not heard yet."""
    return Told()


def test_an_adverts_low_battery_is_told_once(told: Told) -> None:
    """Not again by later adverts, a restart or a telegram; anew once it was good meanwhile."""
    assert [] == told.advert(0)
    (low,) = told.advert(FLAG_LOW_BATTERY)
    assert isinstance(low, LowBattery)
    assert (SERIAL, None) == (low.serial, low.battery_left_d)
    assert [] == told.advert(FLAG_LOW_BATTERY)
    told.restart()
    assert [] == told.advert(FLAG_LOW_BATTERY)
    assert [] == told.telegram(FLAG_LOW_BATTERY)
    assert FLAG_LOW_BATTERY == told.flags
    assert [] == told.telegram(0)
    assert 0 == told.flags
    (again,) = told.telegram(FLAG_LOW_BATTERY)
    assert isinstance(again, LowBattery)
    assert 70 == again.battery_left_d


@pytest.mark.parametrize("flag", [FLAG_TAMPER, FLAG_MAGNET])
def test_tampering_of_an_advert_is_that_of_the_telegram(told: Told, flag: int) -> None:
    """An advert does not say which kind it is: the telegram that does tells nothing new."""
    (seen,) = told.advert(flag)
    assert isinstance(seen, TamperSeen)
    assert FLAG_TAMPER == told.flags
    assert [] == told.telegram(flag)
    assert flag == told.flags
    assert [] == told.advert(flag)
    assert flag == told.flags
    other = FLAG_TAMPER | FLAG_MAGNET
    (further,) = told.telegram(other)
    assert isinstance(further, TamperSeen)
    assert other == further.error_flags
    assert [] == told.advert(0)
    assert 1 == len(told.advert(flag))


def test_what_is_late_says_nothing_of_now(told: Told) -> None:
    """An advert or a telegram that was overtaken raises no alarm, and ends none."""
    told.sent = 10
    told.advert(0)
    assert [] == told.advert(FLAG_TAMPER, counter=5)
    told.telegram(FLAG_LOW_BATTERY)
    assert [] == told.telegram(FLAG_TAMPER, counter=6)
    assert [] == told.telegram(0, counter=7)
    assert FLAG_LOW_BATTERY == told.flags


def test_flags_that_are_no_alarm_stay_the_telegrams(told: Told) -> None:
    """An advert says nothing of them: they are shown as the last telegram had them."""
    assert told.flags is None
    told.telegram(FLAG_CLOCK)
    told.advert(FLAG_TAMPER)
    assert FLAG_CLOCK | FLAG_TAMPER == told.flags


def test_alarms_of_an_earlier_version_are_not_told_again(told: Told) -> None:
    """There the last telegram's flags were what had been told."""
    told.telegram(FLAG_LOW_BATTERY)
    told.connection.execute("ALTER TABLE collector_unit DROP COLUMN alarms")
    told.connection.commit()
    assert FLAG_LOW_BATTERY == Readings(told.connection).state(SERIAL).error_flags
    told.restart()
    assert [] == told.advert(FLAG_LOW_BATTERY)
    assert [TamperSeen] == [type(event) for event in told.telegram(FLAG_LOW_BATTERY | FLAG_TAMPER)]


def test_a_unit_is_heard_from_another_address() -> None:
    """From then on, also after a restart; another unit's address is refused."""
    connection, keys = sqlite3.connect(":memory:"), MemoryKeystore()
    col = Collector(connection, keys, at(0))
    col.pair(record(), KEY, at(0))
    col.pair(record(serial="00000002", address=bytes(6)), bytes(16), at(0))
    frame = advert(count_objects(1, 4, None), 1)
    col.receive(frame, at(1))
    assert 0 == col.register(SERIAL)
    for address in (bytes([1] * 6), ADDRESS):
        col.amend(replace(col.unit(SERIAL), address=address), at(0))
    col.receive(frame, at(1))
    assert 4 == col.register(SERIAL)
    with pytest.raises(UnitPairedError, match="00:00:00"):
        col.amend(replace(col.unit(SERIAL), address=bytes(6)), at(0))
    with pytest.raises(UnitUnknownError):
        col.amend(record(serial="00000009"), at(0))
    again = Collector(connection, keys, at(9))
    again.receive(advert(count_objects(2, 5, None), 2), at(9))
    assert (5, ADDRESS) == (again.register(SERIAL), again.unit(SERIAL).address)
