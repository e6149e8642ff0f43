from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dsmr_parser import telegram_specifications
from dsmr_parser.exceptions import InvalidChecksumError
from dsmr_parser.parsers import TelegramParser

from elec_meter.addons.p1_telegram import crc16, p1_telegram, p1_time
from elec_meter.cli.views import register_rows
from elec_meter.objects import UnitReport
from shared.timegrid import LONDON
from tests.elec_meter.addons.reading_out import read_out
from tests.elec_meter.flag.lines import busy_meter
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def parsed(telegram: bytes) -> Any:
    """The telegram as a reader that nobody here wrote understands it, its check verified."""
    parser = TelegramParser(telegram_specifications.V5)
    return parser.parse(telegram.decode("ascii"), throw_ex=True)


def telegram_of(meter: FixedMeter, at: datetime | None = None) -> bytes:
    """What stands on the port."""
    return p1_telegram(read_out(meter, at), AMSTERDAM)


def test_a_reader_sees_the_registers() -> None:
    """Import, export and gas are those that `show registers` has, exactly."""
    meter = busy_meter()
    shown = {row["obis"]: Decimal(row["value"]) for row in register_rows(meter.directory)}
    telegram = parsed(telegram_of(meter))
    for code, name in (
        ("1-0:1.8.0", "ELECTRICITY_IMPORTED_TOTAL"),
        ("1-0:1.8.1", "ELECTRICITY_USED_TARIFF_1"),
        ("1-0:1.8.2", "ELECTRICITY_USED_TARIFF_2"),
        ("1-0:2.8.1", "ELECTRICITY_DELIVERED_TARIFF_1"),
    ):
        each = getattr(telegram, name)
        assert shown[code] == each.value * 1_000
        assert "kWh" == each.unit
    (gas,) = telegram.MBUS_DEVICES
    assert 1 == gas.channel_id
    assert 3 == gas.MBUS_DEVICE_TYPE.value
    assert shown["0-1:24.2.1"] == gas.MBUS_METER_READING.value
    assert "m3" == gas.MBUS_METER_READING.unit
    assert datetime(2012, 10, 28, 0, 37, 30, tzinfo=UTC) == gas.MBUS_METER_READING.datetime


def test_the_moment_and_the_meter_are_in_it() -> None:
    """Power in kilowatts, voltage, rate in force and version."""
    meter = busy_meter()
    telegram = parsed(telegram_of(meter))
    assert Decimal("0.291") == telegram.CURRENT_ELECTRICITY_USAGE.value
    assert Decimal("0.000") == telegram.CURRENT_ELECTRICITY_DELIVERY.value
    assert Decimal("239.9") == telegram.INSTANTANEOUS_VOLTAGE_L1.value
    assert "0002" == telegram.ELECTRICITY_ACTIVE_TARIFF.value
    assert "50" == telegram.P1_MESSAGE_HEADER.value
    assert telegram_of(meter).startswith(b"/HHY5\\2HALFHOURLY\r\n\r\n")


def test_two_meters_of_one_serial_stay_two() -> None:
    """The electricity meter's identifier begins with E, and the gas meter's with G."""
    telegram = parsed(telegram_of(busy_meter()))
    (gas,) = telegram.MBUS_DEVICES
    identifiers = (telegram.EQUIPMENT_IDENTIFIER, gas.MBUS_EQUIPMENT_IDENTIFIER)
    assert ["E0000000000000001", "G0000000000000001"] == [
        bytes.fromhex(each.value).decode("ascii") for each in identifiers
    ]


def test_a_changed_byte_is_noticed() -> None:
    """The check covers what stands between `/` and `!`."""
    telegram = telegram_of(busy_meter()).replace(b"000123.463", b"000123.464")
    with pytest.raises(InvalidChecksumError):
        parsed(telegram)


def test_the_check_is_crc_16() -> None:
    """As the check value of its catalogue entry, CRC-16/ARC, says."""
    assert 0xBB3D == crc16(b"123456789")


def test_the_night_on_which_the_clocks_change() -> None:
    """Every half-hour is read as the instant that it is, the repeated ones too."""
    meter = busy_meter()
    instants = [START - timedelta(hours=3) + n * timedelta(minutes=30) for n in range(12)]
    for instant in instants:
        meter.now = instant
        meter.reports["00000001"] = UnitReport(instant - timedelta(minutes=7), 3650)
        telegram = parsed(telegram_of(meter))
        assert instant == telegram.P1_MESSAGE_TIMESTAMP.value
        (gas,) = telegram.MBUS_DEVICES
        assert instant - timedelta(minutes=7) == gas.MBUS_METER_READING.datetime


@pytest.mark.parametrize(
    ("instant", "zone", "text"),
    [
        ("2012-10-28T00:59:59+00:00", AMSTERDAM, "121028025959S"),
        ("2012-10-28T01:00:00+00:00", AMSTERDAM, "121028020000W"),
        ("2012-10-28T00:59:59+00:00", LONDON, "121028015959S"),
        ("2012-10-28T01:00:00+00:00", LONDON, "121028010000W"),
        ("2012-07-01T12:00:00+00:00", ZoneInfo("Europe/Dublin"), "120701130000S"),
        ("2012-12-01T12:00:00+00:00", ZoneInfo("Europe/Dublin"), "121201120000W"),
    ],
)
def test_times_are_local_with_their_season(instant: str, zone: ZoneInfo, text: str) -> None:
    """S in summer and W in winter, on either side of a change, whatever the zone."""
    assert text == p1_time(datetime.fromisoformat(instant), zone)


def test_what_is_not_known_has_no_line() -> None:
    """No mains, no valid clock, no gas unit yet: no line, and never a zero."""
    meter = FixedMeter()
    meter.live, meter.clock.valid = None, False
    text = telegram_of(meter).decode("ascii")
    for code in ("1-0:1.7.0", "1-0:32.7.0", "0-0:1.0.0", "0-1:24.2.1", "0-1:24.1.0", "0-0:96.14.0"):
        assert f"\r\n{code}(" not in text
    assert "\r\n1-0:1.8.0(000000.000*kWh)\r\n" in text
    assert not hasattr(parsed(telegram_of(meter)), "MBUS_DEVICES")
