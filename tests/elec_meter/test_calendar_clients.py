"""Calendars set on a running meter over TCP, with the key, by clients that nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DlmsClient
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.cli.main import main
from elec_meter.config import demo_config
from elec_meter.demo.credentials import DLMS_KEYS, dlms_clients
from elec_meter.dlms.data import CosemData, array, decode_data, encode_data, octets
from elec_meter.dlms.services import AccessResult
from elec_meter.dlms.setting import SetNormal
from elec_meter.dlms.tags import Tag
from elec_meter.runtime import Runtime
from shared.obis import Obis
from tests.elec_meter.dlms.asking import CLIENT_TITLE, MANAGEMENT, name
from tests.elec_meter.head_end import (
    IMPORT,
    SPECIAL,
    day,
    instant,
    season,
    special,
    week,
)
from tests.elec_meter.test_dlms_service import managed

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
AT = NOON + timedelta(minutes=10)
PROGRAM = Path(__file__).parent / "dlms" / "writing_client.py"
MILLIJOULES = 3_600_000  # in a Wh
WRITTEN = {
    6: octets(b"Summer 26"),
    7: array(season(b"S1", "01-01", b"W")),
    8: array(week(b"W", *(1,) * 7)),
    9: array(day(1, ("00:00", 2), ("12:20", 1))),
    10: instant(AT),
}
Address = tuple[str, int]


def by_dlms_cosem(address: Address) -> list[CosemData]:
    """The client of `dlms-cosem` 21.3.2; attributes 6 to 9 as it reads them again."""
    client = DlmsClient.with_tcp_transport(
        *address,
        MANAGEMENT,
        1,
        authentication_method=enumerations.AuthenticationMechanism.HLS_GMAC,
        encryption_key=DLMS_KEYS.encryption,
        authentication_key=DLMS_KEYS.authentication,
        client_system_title=CLIENT_TITLE,
        client_initial_invocation_counter=1,
    )
    interface = enumerations.CosemInterface.ACTIVITY_CALENDAR
    table = enumerations.CosemInterface.SPECIAL_DAYS_TABLE
    with client.session():
        insert = cosem.CosemMethod(table, named(SPECIAL), 1)
        client.action(insert, encode_data(special(7, "*-12-25", 1)))
        for number, value in WRITTEN.items():
            attribute = cosem.CosemAttribute(interface, named(IMPORT), number)
            result = client.set(attribute, encode_data(value)).result
            assert enumerations.DataAccessResult.SUCCESS is result, number
        attributes = (cosem.CosemAttribute(interface, named(IMPORT), n) for n in (6, 7, 8, 9))
        return [decode_data(client.get(each)) for each in attributes]


def named(code: str) -> cosem.Obis:
    """As that library has it."""
    obis = Obis.parse(code)
    return cosem.Obis(obis.a, obis.b, obis.c, obis.d, obis.e)


def by_gurux(address: Address) -> list[CosemData]:
    """The client of `gurux-dlms`, in a process of its own."""
    wishes = {
        "client": MANAGEMENT,
        "authentication": "HIGH_GMAC",
        "keys": [each.hex() for each in DLMS_KEYS],
        "title": CLIENT_TITLE.hex(),
        "specials": "0.0.11.0.0.255",
        "special": [7, [12, 25], 1],
        "calendar": "0.0.13.0.0.255",
        "name": "Summer 26",
        "seasons": [["S1", [1, 1], "W"]],
        "weeks": [["W", *[1] * 7]],
        "days": [[1, [[[0, 0], 2], [[12, 20], 1]]]],
        "table": "0.0.10.0.100.255",
        "activate": AT.isoformat(),
    }
    command = [sys.executable, str(PROGRAM), address[0], str(address[1]), json.dumps(wishes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.returncode, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    wanted = [plain(each) for number, each in WRITTEN.items() if number != 10]
    assert wanted == said
    return [WRITTEN[number] for number in (6, 7, 8, 9)]


def plain(data: CosemData) -> Any:
    """As the program prints it."""
    value = data.value
    if isinstance(value, bytes):
        return value.hex()
    return [plain(each) for each in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("client", [by_dlms_cosem, by_gurux])
def test_a_calendar_is_set_and_comes_at_its_time(
    tmp_path: Path, client: Callable[[Address], list[CosemData]]
) -> None:
    """What flows from then on is in the register of its rate, on the LCD, over a restart too."""
    demo = demo_config()
    (screen,) = (each for each in demo.display.scroll if each.object == "1-0:1.8.2")
    display = replace(demo.display, scroll=(screen,), button=demo.display.scroll)
    now = NOON

    def drawn(meter: Meter, wh: int) -> None:
        """So much in the next ten minutes."""
        nonlocal now
        start, now = now, now + timedelta(minutes=10)
        meter.receive_energy("import", wh * MILLIJOULES, start, now, now)
        meter.handle_timer(now + timedelta(seconds=2))

    async def run(storage: Storage) -> None:
        meter = Meter(replace(demo, display=display), storage, NOON)
        where = ("127.0.0.1", 0)
        async with Runtime(meter, lambda: now, dlms=where, dlms_clients=dlms_clients()) as runtime:
            host, _, port = runtime.ports["DLMS"].rpartition(":")
            async with asyncio.timeout(120):
                read = await asyncio.to_thread(client, (host, int(port)))
            assert [WRITTEN[number] for number in (6, 7, 8, 9)] == read
            drawn(meter, 1_000)
            drawn(meter, 2_000)
            assert (1_000, 2_000) == rates_of(meter)
            assert ("IMP R2", "000002.0") == shown(meter, now)

    with Storage.open(tmp_path) as storage:
        asyncio.run(run(storage))
        config = storage.load_config()
        assert config is not None
        meter = Meter(config, storage, now + timedelta(seconds=3))
        assert (1_000, 2_000) == rates_of(meter)
        now += timedelta(seconds=3)
        drawn(meter, 4_000)
        assert (5_000, 2_000) == rates_of(meter)
        assert ("IMP R2", "000002.0") == shown(meter, now)
    result = CliRunner().invoke(main, ["show", "tariff", "--data", str(tmp_path), "--json"])
    (row,) = (each for each in json.loads(result.stdout) if each["channel"] == "import")
    assert ["day_1: 00:00 rate 2; 12:20 rate 1"] == row["days"]
    assert ["week_1: " + " ".join(["day_1"] * 7)] == row["weeks"]
    assert (["*-12-25 day_1"], None) == (row["special_days"], row["activates"])


def test_what_else_is_written_in_the_session_leaves_the_calendar() -> None:
    """A part of the document is changed in the one in force, not in that of the session's start."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    manager = managed(meter)
    for number, value in WRITTEN.items():
        manager.ask(SetNormal(0xC1, name(IMPORT, number, 20), value))
    part = CosemData(Tag.UTF8_STRING, "40")
    answer = manager.ask(SetNormal(0xC1, name("0-0:128.50.2", 2, 1), part))
    assert AccessResult.SUCCESS is answer.result
    passive = meter.config.passive
    assert passive is not None
    assert (40, AT) == (meter.config.checkpoint_s, passive.activate)
    for number, value in WRITTEN.items():
        assert value == manager.value(name(IMPORT, number, 20))


def rates_of(meter: Meter) -> tuple[object, ...]:
    """The registers of import's two rates, in Wh."""
    return tuple(meter.objects[code].read(2, meter.now) for code in ("1-0:1.8.1", "1-0:1.8.2"))


def shown(meter: Meter, now: datetime) -> tuple[str, str]:
    """Mnemonic and digits of the display."""
    face = meter.display.snapshot(now)
    return face.mnemonic, face.text.strip()
