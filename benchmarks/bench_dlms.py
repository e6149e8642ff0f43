"""CPU and bytes of a DLMS session: associate, read a day of half-hours by range, release."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from benchmarks.plain_dlms import PlainServer
from elec_meter import Meter, Storage
from elec_meter.config import demo_config
from elec_meter.demo.credentials import DLMS_PASSWORD
from elec_meter.dlms import DlmsPort, InvocationCounters, LogicalDevice, reader_client
from elec_meter.dlms.acse import AssociationRequest, Context, Mechanism, ReleaseRequest
from elec_meter.dlms.data import CosemData, array, int8, octets, structure, uint16
from elec_meter.dlms.get import GetNormal
from elec_meter.dlms.initiate import InitiateRequest
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.services import Attribute, Member, Selection
from elec_meter.dlms.wrapper import Wrapped
from elec_meter.objects import ProfileGeneric
from shared.obis import Obis

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
DAYS: Final = 30
HALF_HOUR: Final = timedelta(minutes=30)
READER: Final = 32
TITLE: Final = bytes.fromhex("4848590000000001")
LOAD_PROFILE: Final = Obis.parse("1-0:99.1.0")
COMPACT_PROFILE: Final = Obis.parse("1-0:99.1.1")
SESSIONS: Final = 200
BEST_OF: Final = 5

Session = Callable[[Sequence[bytes]], bytes]
"""What is sent in answer to the requests of one session."""


def rows() -> list[dict[str, Any]]:
    """Our server, and beside it one written plainly that says the same bytes and checks nothing."""
    meter = _month()
    load, compact = (_speech(each) for each in (LOAD_PROFILE, COMPACT_PROFILE))
    profile = meter.objects[LOAD_PROFILE]
    assert isinstance(profile, ProfileGeneric)
    ours = _ours(meter)
    plain = PlainServer(profile.rows(), DLMS_PASSWORD).session
    name = "DLMS session of a day's half-hours"
    said = ours(load)
    assert said == plain(load), "the two servers do not say the same"
    mine, theirs = _cpu_ms(ours, load), _cpu_ms(plain, load)
    beside = f"{mine / theirs:.2f} x the server written plainly"
    found = [_row(f"{name}, CPU", mine, "ms", f"aim: 0.8 ms; {beside}")]
    found.append(_row(f"{name}, CPU, written plainly", theirs, "ms"))
    size, small = len(said), len(ours(compact))
    found.append(_row(f"{name}, compact, CPU", _cpu_ms(ours, compact), "ms"))
    found.append(_row(f"{name}, sent", size, "bytes"))
    found.append(
        _row(f"{name}, compact, sent", small, "bytes", f"{small / size:.2f} x the ordinary rows")
    )
    return found


def _month() -> Meter:
    """A meter with reactive energy, a month old."""
    config = demo_config()
    profile = replace(config.profile, reactive=True)
    meter = Meter(replace(config, profile=profile), Storage.in_memory(), START)
    for number in range(DAYS * 48):
        begin, end = START + number * HALF_HOUR, START + (number + 1) * HALF_HOUR
        energies = {"import": (100 + number % 97) * 3_600_000, "export": number % 31 * 3_600_000}
        meter.receive_energies(energies, begin, end, end)
    meter.handle_timer(START + DAYS * DAY + timedelta(seconds=3))
    return meter


def _ours(meter: Meter) -> Session:
    device = LogicalDevice(
        directory=meter.objects,
        title=TITLE,
        clients=(reader_client(DLMS_PASSWORD, None),),
        counters=InvocationCounters(),
        durable=lambda: None,
        random_bytes=bytes,
    )
    port, now = DlmsPort(device), meter.now

    def session(requests: Sequence[bytes]) -> bytes:
        connection = port.session(now)
        return b"".join([connection.receive_data(each, now) for each in requests])

    return session


def _speech(obis: Obis) -> list[bytes]:
    """What a reader says in a session: AARQ, GET of the last day but one, RLRQ."""
    initiate = InitiateRequest(0xFFFFFF, 0xFFFF).to_bytes()
    first = START + (DAYS - 2) * DAY
    clock = structure(uint16(8), octets(Obis.parse("0-0:1.0.0").to_bytes()), int8(2), uint16(0))
    bounds = [
        octets(encode_date_time(first + HALF_HOUR)),
        octets(encode_date_time(first + DAY)),
    ]
    selection = Selection(1, structure(clock, *bounds, CosemData(array().tag, ())))
    said = [
        AssociationRequest(Context.PLAIN, initiate, Mechanism.LOW, DLMS_PASSWORD),
        GetNormal(0xC1, Attribute(Member(7, obis, 2), selection)),
        ReleaseRequest(0),
    ]
    return [Wrapped(READER, 1, each.to_bytes()).to_bytes() for each in said]


def _cpu_ms(session: Session, requests: Sequence[bytes]) -> float:
    """Of one session, the best of a few rounds."""
    best = float("inf")
    for _ in range(BEST_OF):
        begun = time.process_time()
        for _ in range(SESSIONS):
            session(requests)
        best = min(best, (time.process_time() - begun) / SESSIONS)
    return best * 1_000


def _row(name: str, value: float, unit: str, beside: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "relative_to": beside}
