"""Rows of profiles over the FLAG port, as text and packed, and how many bytes they take."""

from __future__ import annotations

import base64
import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from elec_meter.access import Level
from elec_meter.config import (
    ECONOMY_7_UTC,
    DataChannelConfig,
    MeterConfig,
    SwitchConfig,
    TariffConfig,
    demo_config,
    encode_change,
)
from elec_meter.flag import FlagLine, FlagSession, pack_rows, unpack_rows
from elec_meter.flag.command import VALUE_LIMIT
from elec_meter.flag.framing import answer_message, command_message
from elec_meter.flag.texts import binary_text, cut_to_values
from elec_meter.objects import Directory, ProfileGeneric, ProfileSource
from elec_meter.sampling import EnergySeries
from elec_meter.storage import Storage
from shared.timegrid import unix_s
from shared.units import MJ_PER_WH
from tests.elec_meter.flag.programmer import ACK, NOON, Desktop, Programmer, refusal
from tests.elec_meter.objects.lived import whole_life

BEGUN = datetime(2026, 3, 31, 0, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
DAY = "2604010030;2604020000"
SMALL_BYTES, TARIFF_BYTES, DAY_BYTES = 24, 96, 600


@pytest.fixture(scope="module")
def desktop() -> Desktop:
    """Two days of a meter with four channels, each half-hour as full as a fuse allows."""
    channels = (DataChannelConfig(name="voltage", number=2, object="1-0:1.8.0"),)
    profile = replace(demo_config().profile, reactive=False)
    config = replace(demo_config(), data_channels=channels, profile=profile)
    desktop = Desktop(config=config, now=BEGUN)
    for n in range(96):
        wh = 11_000 + n
        energies = {
            "import": [0] * 1799 + [wh * MJ_PER_WH],
            "export": [0] * 1799 + [(wh + 500) * MJ_PER_WH],
        }
        start = BEGUN + n * HALF_HOUR
        desktop.meter.receive_series(EnergySeries(unix_s(start), energies), start + HALF_HOUR)
    desktop.now = BEGUN + timedelta(days=2, seconds=5)
    desktop.durable()
    return desktop


@pytest.fixture
def reader(desktop: Desktop) -> Programmer:
    """Somebody who may read half-hours."""
    return desktop.programmer(Level.READER)


def values_of(answer: str) -> list[list[str]]:
    """The values of each line."""
    return [re.findall(r"\(([^()]*)\)", line) for line in answer.split("\r\n")]


def test_rows_have_their_end_status_and_unit(reader: Programmer) -> None:
    """The half-hours of a range, both ends included, in text."""
    lines = values_of(reader.read("P.1.0(2604010030;2604010100)"))
    assert [
        ["26-04-01 00:30:00", "0", "11048*Wh", "11548*Wh"],
        ["26-04-01 01:00:00", "0", "11049*Wh", "11549*Wh"],
    ] == lines
    assert values_of(reader.read("P.1.0(26-04-01 00:30;26-04-01 01:00:00)")) == lines


@pytest.mark.parametrize("letters", ["R1", "R3"])
def test_every_row_of_a_day_is_the_objects(reader: Programmer, letters: str) -> None:
    """At once or in blocks, the same 48 rows as the directory has."""
    profile = reader.desktop.meter.objects["1-0:99.1.0"]
    assert isinstance(profile, ProfileGeneric)
    rows = profile.rows(datetime(2026, 4, 1, 0, 30, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC))
    wanted = [
        [f"{end:%y-%m-%d %H:%M:%S}", str(status), f"{import_wh}*Wh", f"{export_wh}*Wh"]
        for end, status, import_wh, export_wh in rows
    ]
    assert 48 == len(wanted)
    assert wanted == values_of(reader.read(f"P.1.0({DAY})", letters))


def test_blocks_end_with_eot_until_the_last(reader: Programmer) -> None:
    """Sixteen lines each; a block is repeated on request, and the next one needs an ACK."""
    first = reader.command("R3", f"P.1.0({DAY})")
    assert 4 == first[-2]
    assert 16 == first.count(b"*Wh)(")
    assert first == reader.say(b"\x15")
    second, third = reader.say(ACK), reader.say(ACK)
    assert [4, 3] == [second[-2], third[-2]]
    assert b"" == reader.say(ACK)
    reader.command("R3", f"P.1.0({DAY})")
    assert "0.0.0(00000001)" == reader.read("0.0.0()")
    assert b"" == reader.say(ACK)


@pytest.mark.parametrize("name", ["1-0:99.1.0", "1-0:99.2.0", "0-0:128.36.0"])
def test_blocks_joined_are_the_whole_answer(reader: Programmer, name: str) -> None:
    """Also of rows too wide for one line of a block: each row is a line."""
    whole = reader.read(f"{name}()")
    assert whole == reader.read(f"{name}()", "R3")
    profile = reader.desktop.meter.objects[name]
    assert isinstance(profile, ProfileGeneric)
    rows = profile.rows()
    assert len(rows) == len(values_of(whole))
    assert {len(rows[0])} == {len(values) for values in values_of(whole)}


@pytest.mark.parametrize("letters", ["R5", "R6"])
def test_a_day_packed_is_the_same_day(reader: Programmer, letters: str) -> None:
    """Every channel in one profile: unpacked, the cells are the directory's."""
    profile = reader.desktop.meter.objects["0-0:128.36.0"]
    assert isinstance(profile, ProfileGeneric)
    assert 6 == len(profile.columns[1:])
    (parts,) = values_of(reader.read(f"P({DAY})", letters).replace("\r\n", ""))
    octets = base64.urlsafe_b64decode("".join(parts) + "==")
    rows = profile.rows(datetime(2026, 4, 1, 0, 30, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC))
    assert [(end, tuple(cells)) for end, *cells in rows] == unpack_rows(octets)


def test_a_day_of_four_channels_fits(reader: Programmer) -> None:
    """Command and answer, SOH to BCC, with every half-hour near the fuse's limit."""
    answer = reader.command("R5", f"P({DAY})")
    frames = reader.sent[-1] + answer
    assert DAY_BYTES >= len(frames)
    assert all(VALUE_LIMIT >= len(part) for part in re.findall(rb"\(([^)]*)\)", answer))
    # No cell is like the one before it, and the status changes four times.
    full = [
        (BEGUN + n * HALF_HOUR, (n // 12 * 4, 12_000 - n, 12_000 + n, n // 12, 299 - n, 11_000 + n))
        for n in range(1, 49)
    ]
    text = "".join(f"({part})" for part in cut_to_values(binary_text(pack_rows(6, full))))
    worst = answer_message([text]) + command_message("R5", f"P({DAY})")
    assert DAY_BYTES >= len(worst)
    assert len(worst) >= len(frames)


def test_an_economy_7_programme_fits() -> None:
    """Rates and both switches on a meter that had one rate, in one command and its answer."""
    desktop = Desktop(config=MeterConfig(gas_units=demo_config().gas_units))
    new = replace(desktop.meter.config, tariff=TariffConfig(import_=ECONOMY_7_UTC))
    supplier = desktop.programmer(Level.SUPPLIER)
    change = binary_text(encode_change(desktop.meter.config, new))
    assert ACK == supplier.command("W5", f"C({change})")
    assert new == desktop.meter.config
    assert TARIFF_BYTES >= len(supplier.sent[-1]) + len(ACK)
    other = replace(ECONOMY_7_UTC, time_base="local")
    new = replace(new, tariff=TariffConfig(import_=other))
    whole = binary_text(Desktop(config=new).meter.objects["0-0:128.50.8"].octets())
    assert ACK == supplier.command("W5", f"0-0:128.50.8({whole})")
    assert new == desktop.meter.config
    assert TARIFF_BYTES >= len(supplier.sent[-1]) + len(ACK)


@pytest.mark.parametrize("at", ["08:00", "07:31", "23:59"])
def test_a_changed_switch_time_fits(at: str) -> None:
    """A single one, whatever its minute."""
    desktop = Desktop()
    old = desktop.meter.config
    switches = (ECONOMY_7_UTC.switches[0], SwitchConfig(at=at, rate=1))
    new = replace(
        old, tariff=replace(old.tariff, import_=replace(ECONOMY_7_UTC, switches=switches))
    )
    supplier = desktop.programmer(Level.SUPPLIER)
    assert ACK == supplier.command("W5", f"C({binary_text(encode_change(old, new))})")
    assert SMALL_BYTES >= len(supplier.sent[-1])
    assert new == desktop.meter.config


def test_too_much_at_once_is_refused_before_it_is_looked_up(reader: Programmer) -> None:
    """More rows than an answer has, of a profile that has them; a month is fine."""
    assert 96 == len(values_of(reader.read("P.1.0()", "R3")))
    assert 96 == len(values_of(reader.read("P.1.0(2603010000;2604030000)", "R3")))
    assert "P.1.0()" == reader.read("P.1.0(2704010000;2704020000)")
    many = [(BEGUN + n * HALF_HOUR, 0) for n in range(1_601)]
    profile = Listed(many)
    reader = reading(reader.desktop, Directory([profile], lambda: NOON))
    assert "ER11" == refusal(reader.command("R3", "P.1.0()"))
    assert "ER11" == refusal(reader.command("R3", "P.1.0(2603010000;)"))
    assert "ER11" == refusal(reader.command("R3", "P.1.0(2603010000;2703010000)"))
    assert [] == profile.asked
    assert "P.1.0()" == reader.read("P.1.0(2603010000;2604030000)", "R3")
    assert 1 == len(profile.asked)


def test_every_profile_of_a_life_is_read() -> None:
    """Billing, days, events, spells, gas: as text, and packed where they are numbers alone."""
    desktop = Desktop()
    life = whole_life(Storage.in_memory())
    directory = life.meter.objects
    profiles = [each for each in directory if isinstance(each, ProfileGeneric)]
    assert 9 < len(profiles)
    for profile in profiles:
        reader, rows = reading(desktop, directory), profile.rows()
        values = re.findall(r"\(", reader.read(f"{profile.obis}()", "R3"))
        assert sum(map(len, rows)) == len(values) or not rows
        packed = reader.command("R5", f"{profile.obis}()")
        if packed.startswith(b"\x02(ER"):
            assert "ER08" == refusal(packed)
            assert any(isinstance(cell, (str, datetime)) for row in rows for cell in row[1:])


def reading(desktop: Desktop, directory: Directory) -> Programmer:
    """Somebody who reads another meter's objects."""
    desk = dataclasses.replace(desktop.desk, directory=lambda: directory)
    services = desktop.port._services._replace(desk=desk)
    reader = Programmer(desktop, FlagSession(services, FlagLine(), desktop.now))
    assert ACK == reader.sign_on(Level.READER)
    return reader


class Listed(ProfileGeneric):
    """A load profile of which nothing but its number of rows is known."""

    def __init__(self, many: list[tuple[datetime, int]]) -> None:
        self.asked: list[object] = []
        super().__init__(
            "1-0:99.1.0",
            "",
            lambda: NOON,
            (),
            _Rows(many, self.asked),
            period_s=lambda: 1800,
            depth=9_999,
        )


class _Rows(ProfileSource):
    def __init__(self, many: list[tuple[datetime, int]], asked: list[object]) -> None:
        self._many = many
        self._asked = asked

    def rows(self, from_utc: object, to_utc: object) -> list[tuple[object, ...]]:
        """None, and who asked is remembered."""
        self._asked.append((from_utc, to_utc))
        return []

    def count(self) -> int:
        """All of them."""
        return len(self._many)
