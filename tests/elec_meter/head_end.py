"""A head end at the management association of a meter, in our own COSEM data."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from elec_meter import Meter, Storage
from elec_meter.access import Level
from elec_meter.config import DatePattern, MeterConfig
from elec_meter.control import OrderDesk, Orders
from elec_meter.dlms.changes import DirectoryChanges
from elec_meter.dlms.data import (
    NULL,
    CosemData,
    array,
    decode_data,
    octets,
    structure,
    uint8,
    uint16,
)
from elec_meter.dlms.instants import (
    UNKNOWN,
    encode_date_pattern,
    encode_date_time,
    encode_midnight_pattern,
    encode_time,
)
from elec_meter.dlms.services import AccessResult, ActionResult, Attribute, Member
from elec_meter.dlms.view import View
from shared.obis import Obis

IMPORT, EXPORT, RELAY = "0-0:13.0.0", "0-0:13.0.1", "0-0:13.0.11"
SPECIAL = "0-0:11.0.0"
NOTHING = octets(UNKNOWN)
RATES, RELAYS = "0-0:10.0.100", "0-0:10.0.103"
PASSIVE = (6, 7, 8, 9)
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
MIDNIGHT = NOON + timedelta(hours=12)
OK, DONE = AccessResult.SUCCESS, ActionResult.SUCCESS
EMPTY = (octets(b""), array(), array(), array())


class HeadEnd:
    """Sets, gets and invokes in one session, of the directory that was there when it began."""

    def __init__(self, config: MeterConfig, storage: Storage, now: datetime) -> None:
        self.storage = storage
        self.now = now
        self.meter = Meter(config, storage, now)
        self.level = Level.SUPPLIER
        orders = Orders(
            self.meter, now=lambda: self.now, durable=self.meter.checkpoint, status=dict
        )
        self.directory = self.meter.objects
        self.changes = DirectoryChanges(
            self.directory, lambda level: OrderDesk(orders, level, f"level {int(level)} at a test")
        )
        self.view = View(self.directory, {}, Level.SUPPLIER, self.changes)

    def later(self, **by: float) -> None:
        """Time passes."""
        self.now += timedelta(**by)
        self.meter.handle_timer(self.now)

    def set(self, code: str, number: int, value: CosemData) -> AccessResult:
        """Write an attribute."""
        return self.changes.write(self.level, self._member(code, number), value)

    def get(self, code: str, number: int) -> CosemData:
        """Read one."""
        found = self.view.read(Attribute(self._member(code, number)), self.now)
        assert isinstance(found, bytes), found
        return decode_data(found)

    def act(self, code: str, number: int, value: CosemData = NULL) -> ActionResult:
        """Invoke a method."""
        return self.changes.invoke(self.level, self._member(code, number), value).result

    def texts(self, code: int) -> list[str]:
        """The event log's sentences of a code."""
        return [each.text for each in self.storage.events() if each.code == code]

    def _member(self, code: str, number: int) -> Member:
        return Member(self.directory[code].class_id, Obis.parse(code), number)


def season(name: bytes, start: str, week: bytes) -> CosemData:
    """An element of attribute 7; the start as the configuration writes it."""
    begins = encode_midnight_pattern(DatePattern.parse(f"*-{start}"))
    return structure(octets(name), octets(begins), octets(week))


def week(name: bytes, *days: int) -> CosemData:
    """An element of attribute 8."""
    return structure(octets(name), *map(uint8, days))


def day(number: int, *switches: tuple[str, int], table: str = RATES) -> CosemData:
    """An element of attribute 9: times, with the scripts that they execute."""
    actions = (
        structure(
            octets(encode_time(time.fromisoformat(at))),
            octets(Obis.parse(table).to_bytes()),
            uint16(selector),
        )
        for at, selector in switches
    )
    return structure(uint8(number), array(*actions))


def special(number: int, date: str, day_number: int) -> CosemData:
    """An element of attribute 2 of a special days table."""
    dates = encode_date_pattern(DatePattern.parse(date))
    return structure(uint16(number), octets(dates), uint8(day_number))


def instant(at: datetime) -> CosemData:
    """Attribute 10."""
    return octets(encode_date_time(at))


WRITTEN = {
    6: octets(b"Winter 26"),
    7: array(season(b"S1", "01-01", b"\x01"), season(b"S2", "10-L Sun", b"W2")),
    8: array(week(b"\x01", 5, 5, 5, 5, 5, 200, 200), week(b"W2", *(200,) * 7)),
    9: array(day(5, ("00:00", 2), ("07:10", 1), ("22:00", 2)), day(200, ("00:00", 2))),
}
"""A passive calendar in its attributes: dear on working days of the first season."""


def write_passive(head_end: HeadEnd, code: str = IMPORT) -> None:
    """Attributes 6 to 9, one by one."""
    for number in PASSIVE:
        assert OK is head_end.set(code, number, WRITTEN[number])


def passive_of(head_end: HeadEnd, code: str = IMPORT) -> tuple[CosemData, ...]:
    """Attributes 6 to 9."""
    return tuple(head_end.get(code, number) for number in PASSIVE)
