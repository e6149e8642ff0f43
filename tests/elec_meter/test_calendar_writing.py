"""Calendars and special days that a head end writes the standard way, on a whole meter."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from msgspec.structs import replace

from elec_meter import Storage
from elec_meter.access import Level
from elec_meter.config import (
    CalendarConfig,
    MeterConfig,
    PassiveTariff,
    PricesConfig,
    RelayConfig,
    SwitchConfig,
    TariffConfig,
    TerminalConfig,
    demo_config,
)
from elec_meter.dlms.data import (
    CosemData,
    array,
    octets,
    uint16,
)
from elec_meter.dlms.services import AccessResult, ActionResult
from elec_meter.dlms.tags import Tag
from elec_meter.events import EventCode
from elec_meter.objects.catalogue import complete_config
from tests.elec_meter.head_end import (
    DONE,
    EMPTY,
    EXPORT,
    IMPORT,
    MIDNIGHT,
    NOON,
    NOTHING,
    OK,
    PASSIVE,
    RELAY,
    RELAYS,
    SPECIAL,
    WRITTEN,
    HeadEnd,
    day,
    instant,
    passive_of,
    season,
    special,
    week,
    write_passive,
)

AUTHOR = "level 3 at a test"


@pytest.fixture
def head_end() -> HeadEnd:
    """At the demo's meter, at noon."""
    return HeadEnd(demo_config(), Storage.in_memory(), NOON)


def restarted(head_end: HeadEnd) -> HeadEnd:
    """After a power cut."""
    config = head_end.storage.load_config()
    assert config is not None
    return HeadEnd(config, head_end.storage, head_end.now + timedelta(minutes=1))


def test_a_calendar_is_written_read_back_and_comes_at_its_time(head_end: HeadEnd) -> None:
    """In one session: as it was written while passive and when active, in force from its time."""
    before = head_end.meter.config.tariff
    write_passive(head_end)
    assert tuple(WRITTEN.values()) == passive_of(head_end)
    assert (before, None) == (head_end.meter.config.tariff, head_end.meter.config.passive)
    assert NOTHING == head_end.get(IMPORT, 10)

    assert OK is head_end.set(IMPORT, 10, instant(MIDNIGHT))
    assert tuple(WRITTEN.values()) == passive_of(head_end)
    assert instant(MIDNIGHT) == head_end.get(IMPORT, 10)
    assert before == head_end.meter.config.tariff
    head_end.later(hours=12, seconds=5)
    assert tuple(WRITTEN.values()) == tuple(head_end.get(IMPORT, number) for number in (2, 3, 4, 5))
    assert (EMPTY, NOTHING) == (passive_of(head_end), head_end.get(IMPORT, 10))
    assert before.export == head_end.meter.config.tariff.export
    snapshot = head_end.meter.ledger.snapshots("billing")[-1]
    assert "tariff change" == snapshot.reason
    assert [2, 2, 1, 2] == [
        head_end.meter.ledger.active_rate("import", int((MIDNIGHT + after).timestamp()))
        for after in (
            timedelta(),
            timedelta(hours=7, minutes=9),
            timedelta(hours=7, minutes=10),
            timedelta(days=2),  # a Saturday
        )
    ]
    assert [
        f"the name of the passive calendar of import came from {AUTHOR}",
        f"the seasons of the passive calendar of import came from {AUTHOR}",
        f"the week profiles of the passive calendar of import came from {AUTHOR}",
        f"the day profiles of the passive calendar of import came from {AUTHOR}",
        "configuration 2 was put in force by level 3 at a test: passive",
        f"the passive calendar of import is activated at {MIDNIGHT:%F} 00:00:00 UTC by {AUTHOR}",
    ] == head_end.texts(EventCode.CONFIGURATION_CHANGED)


@pytest.mark.parametrize("order", list(permutations(PASSIVE))[::5])
def test_parts_come_in_any_order(head_end: HeadEnd, order: tuple[int, ...]) -> None:
    """Between them a week may name a day that is not there yet."""
    for number in order:
        assert OK is head_end.set(IMPORT, number, WRITTEN[number])
        assert WRITTEN[number] == head_end.get(IMPORT, number)
    assert OK is head_end.set(IMPORT, 10, instant(MIDNIGHT))
    assert tuple(WRITTEN.values()) == passive_of(head_end)


def test_parts_survive_a_power_cut_until_they_are_activated(head_end: HeadEnd) -> None:
    """What was acknowledged is there; activated by the method, at once, it survives as well."""
    write_passive(head_end)
    again = restarted(head_end)
    assert tuple(WRITTEN.values()) == passive_of(again)
    assert DONE is again.act(IMPORT, 1, CosemData(Tag.INT8, 0))
    assert (EMPTY, NOTHING) == (passive_of(again), again.get(IMPORT, 10))
    assert ["the passive calendar of import was activated by level 3 at a test"] == again.texts(
        EventCode.TARIFF_ACTIVATED
    )
    for each in (again, restarted(again)):
        active = tuple(each.get(IMPORT, number) for number in (2, 3, 4, 5))
        assert tuple(WRITTEN.values()) == active
        assert EMPTY == passive_of(each)


def test_an_unfinished_calendar_is_not_activated(head_end: HeadEnd) -> None:
    """Neither at a time nor by the method; the log says what is amiss, and nothing is lost."""
    sentences = []
    for number in (9, 8):
        assert OK is head_end.set(IMPORT, number, WRITTEN[number])
    sentences.append("the calendar has no seasons yet")
    assert AccessResult.OTHER_REASON is head_end.set(IMPORT, 10, instant(MIDNIGHT))
    assert OK is head_end.set(IMPORT, 7, array(season(b"S1", "01-01", b"W3")))
    sentences.append("the season 'S1' names the week profile 'W3', and there is none")
    assert ActionResult.OTHER_REASON is head_end.act(IMPORT, 1, CosemData(Tag.INT8, 0))
    sentences.append("nobody has written a passive calendar of export")
    assert AccessResult.OTHER_REASON is head_end.set(EXPORT, 10, instant(MIDNIGHT))
    prefix = "a calendar of level 3 at a test was refused: "
    assert [prefix + each for each in sentences] == head_end.texts(EventCode.CALENDAR_REFUSED)
    assert (demo_config(), 1) == (head_end.meter.config, head_end.meter.config_version)
    assert WRITTEN[9] == head_end.get(IMPORT, 9)


def test_a_calendar_that_is_written_again_waits_for_its_time_to_be_written_again(
    head_end: HeadEnd,
) -> None:
    """The one before does not come instead; prices that came with it stay with it."""
    priced = replace(
        head_end.meter.config.tariff.import_,
        prices=PricesConfig(rate_p_kwh=(Decimal(30), Decimal(10))),
    )
    coming = PassiveTariff(activate=MIDNIGHT, tariff=TariffConfig(import_=priced))
    head_end.meter.apply_config(replace(head_end.meter.config, passive=coming), NOON)
    assert OK is head_end.set(IMPORT, 9, array(day(1, ("00:00", 1), ("06:00", 2))))
    assert NOTHING == head_end.get(IMPORT, 10)
    assert head_end.meter.config.passive is None
    head_end.later(hours=13)
    assert demo_config().tariff == head_end.meter.config.tariff
    assert OK is head_end.set(IMPORT, 10, instant(head_end.now + timedelta(minutes=7)))
    head_end.later(minutes=8)
    active = head_end.meter.config.tariff.import_
    assert (priced.prices, ["00:00", "06:00"]) == (
        active.prices,
        [switch.at for switch in active.days[0].switches],
    )


def test_an_open_time_takes_the_activation_back(head_end: HeadEnd) -> None:
    """The calendar is still there, after a power cut too, and can be given another time."""
    write_passive(head_end)
    for at in (MIDNIGHT, MIDNIGHT + timedelta(hours=1)):
        assert OK is head_end.set(IMPORT, 10, instant(at))
    assert OK is head_end.set(IMPORT, 10, NOTHING)
    assert head_end.meter.config.passive is None
    again = restarted(head_end)
    again.later(hours=14)
    assert demo_config().tariff == again.meter.config.tariff
    assert (tuple(WRITTEN.values()), NOTHING) == (passive_of(again), again.get(IMPORT, 10))
    assert OK is again.set(IMPORT, 10, instant(again.now - timedelta(hours=1)))
    assert WRITTEN[7] == again.get(IMPORT, 3)  # what is overdue comes at once


def test_a_calendar_whose_time_has_come_is_not_taken_back(head_end: HeadEnd) -> None:
    """What is written a second later begins another one."""
    write_passive(head_end)
    assert OK is head_end.set(IMPORT, 10, instant(MIDNIGHT))
    head_end.now = MIDNIGHT + timedelta(seconds=1)
    assert OK is head_end.set(IMPORT, 6, octets(b"Summer 27"))
    assert (WRITTEN[6], WRITTEN[9]) == (head_end.get(IMPORT, 2), head_end.get(IMPORT, 5))
    assert (octets(b"Summer 27"), *EMPTY[1:]) == passive_of(head_end)


def test_calendars_that_come_together_have_one_time(head_end: HeadEnd) -> None:
    """Export joins import at its time; at another one it is refused, and import stays alone."""
    write_passive(head_end)
    assert OK is head_end.set(IMPORT, 10, instant(MIDNIGHT))
    for number in (6, 7, 8):
        assert OK is head_end.set(EXPORT, number, WRITTEN[number])
    days = array(day(5, ("00:00", 65)), day(200, ("00:00", 65)))
    assert OK is head_end.set(EXPORT, 9, days)
    later = instant(MIDNIGHT + timedelta(days=1))
    assert AccessResult.OTHER_REASON is head_end.set(EXPORT, 10, later)
    (refused,) = head_end.texts(EventCode.CALENDAR_REFUSED)
    assert (
        "the rest of the tariff that comes next is activated at 2026-04-02 00:00 UTC,"
        " and export cannot be at another time" in refused
    )
    assert OK is head_end.set(EXPORT, 10, instant(MIDNIGHT))
    assert OK is head_end.set(IMPORT, 10, NOTHING)
    assert OK is head_end.set(EXPORT, 10, later)
    assert DONE is head_end.act(IMPORT, 1, CosemData(Tag.INT8, 0))
    assert (later, days) == (head_end.get(EXPORT, 10), head_end.get(EXPORT, 9))
    head_end.later(hours=37)
    assert [WRITTEN[7]] * 2 == [head_end.get(code, 3) for code in (IMPORT, EXPORT)]


def test_special_days_are_in_force_at_once(head_end: HeadEnd) -> None:
    """Set whole, inserted in the place of their number, overwritten by number or date, deleted."""
    write_passive(head_end)
    assert DONE is head_end.act(IMPORT, 1, CosemData(Tag.INT8, 0))
    christmas, may = special(10, "*-12-25", 200), special(20, "*-05-01 Mon", 200)
    today = special(15, "2026-04-01", 200)
    assert OK is head_end.set(SPECIAL, 2, array(christmas, may))
    assert array(christmas, may) == head_end.get(SPECIAL, 2)
    assert DONE is head_end.act(SPECIAL, 1, today)
    assert array(christmas, today, may) == head_end.get(SPECIAL, 2)
    assert 2 == head_end.meter.ledger.active_rate("import", int(NOON.timestamp()))
    for same, left in (
        (special(15, "2026-04-03", 5), [christmas, special(15, "2026-04-03", 5), may]),
        (special(30, "2026-04-03", 200), [christmas, may, special(30, "2026-04-03", 200)]),
    ):
        assert DONE is head_end.act(SPECIAL, 1, same)
        assert array(*left) == head_end.get(SPECIAL, 2)
    assert DONE is head_end.act(SPECIAL, 2, uint16(20))
    assert ActionResult.SUCCESS is not head_end.act(SPECIAL, 2, uint16(20))
    assert AccessResult.OTHER_REASON is head_end.set(SPECIAL, 2, array(special(1, "*-12-25", 6)))
    assert AccessResult.OTHER_REASON is head_end.set(SPECIAL, 2, array(christmas, christmas))
    assert AccessResult.TYPE_UNMATCHED is head_end.set(SPECIAL, 2, christmas)
    again = restarted(head_end)
    assert array(christmas, special(30, "2026-04-03", 200)) == again.get(SPECIAL, 2)


def test_special_days_go_with_the_calendar_that_comes_next(head_end: HeadEnd) -> None:
    """It takes them along whether written before or after; one without their profile is refused."""
    days = array(day(1, ("00:00", 2)), day(2, ("00:00", 1)))
    weeks, seasons = array(week(b"w", *(1,) * 7)), array(season(b"1", "01-01", b"w"))
    assert OK is head_end.set(SPECIAL, 2, array(special(1, "*-12-25", 1)))
    for number, value in ((7, seasons), (8, weeks), (9, days)):
        assert OK is head_end.set(IMPORT, number, value)
    assert OK is head_end.set(IMPORT, 10, instant(MIDNIGHT))
    all_days = array(*(special(n, f"*-12-2{4 + n}", 1) for n in (1, 2, 3)))
    assert DONE is head_end.act(SPECIAL, 1, special(2, "*-12-26", 1))
    assert AccessResult.OTHER_REASON is head_end.set(SPECIAL, 2, array(special(1, "*-12-25", 2)))
    assert OK is head_end.set(IMPORT, 9, array(day(2, ("00:00", 1))))
    assert DONE is head_end.act(SPECIAL, 1, special(3, "*-12-27", 1))
    assert OK is head_end.set(IMPORT, 8, array(week(b"w", *(2,) * 7)))
    assert AccessResult.OTHER_REASON is head_end.set(IMPORT, 10, instant(MIDNIGHT))
    assert "the special day *-12-25 names" in head_end.texts(EventCode.CALENDAR_REFUSED)[-1]
    assert OK is head_end.set(IMPORT, 9, days)
    assert OK is head_end.set(IMPORT, 10, instant(MIDNIGHT))
    head_end.later(hours=13)
    assert all_days == head_end.get(SPECIAL, 2)
    assert days == head_end.get(IMPORT, 5)


def relay_config() -> MeterConfig:
    """The demo's meter with a relay on terminal 1 that is on in the afternoon."""
    switches = (SwitchConfig(at="13:00", rate=2), SwitchConfig(at="16:00", rate=1))
    relay = RelayConfig(control="calendar", calendar=CalendarConfig(rates=2, switches=switches))
    return replace(demo_config(), terminals=(TerminalConfig(number=1, relay=relay),))


def test_a_relays_calendar_is_written_and_activated_at_once() -> None:
    """By the installer; it has no time of its own, and the relay follows it."""
    head_end = HeadEnd(relay_config(), Storage.in_memory(), NOON)
    head_end.level = Level.INSTALLER
    written = {
        6: octets(b"BOILER"),
        7: array(season(b"1", "01-01", b"w")),
        8: array(week(b"w", *(1,) * 7)),
        9: array(day(1, ("00:00", 2), ("12:30", 3), ("13:00", 2), table=RELAYS)),
    }
    for number, value in written.items():
        assert OK is head_end.set(RELAY, number, value)
    assert tuple(written.values()) == passive_of(head_end, RELAY)
    assert AccessResult.READ_WRITE_DENIED is head_end.set(RELAY, 10, instant(MIDNIGHT))
    assert DONE is head_end.act(RELAY, 1, CosemData(Tag.INT8, 0))
    relay = head_end.meter.switchgear.terminals.relay(1)
    states = [relay.is_on]
    for _ in range(2):
        head_end.later(minutes=31)
        states.append(relay.is_on)
    assert [False, True, False] == states
    assert OK is head_end.set("0-0:11.0.11", 2, array(special(1, "*-12-25", 1)))
    again = restarted(head_end)
    assert tuple(written.values()) == tuple(again.get(RELAY, number) for number in (2, 3, 4, 5))


@pytest.mark.parametrize("level", [Level.PUBLIC, Level.READER, Level.INSTALLER])
def test_the_tariff_is_the_suppliers(head_end: HeadEnd, level: Level) -> None:
    """Below its level nothing is written, activated or set."""
    write_passive(head_end)
    head_end.level = level
    denied = AccessResult.READ_WRITE_DENIED
    for number, value in (*WRITTEN.items(), (10, instant(MIDNIGHT))):
        assert denied is head_end.set(IMPORT, number, value)
    assert denied is head_end.set(SPECIAL, 2, array())
    invoked = [
        head_end.act(IMPORT, 1, CosemData(Tag.INT8, 0)),
        head_end.act(SPECIAL, 1, special(1, "*-12-25", 1)),
    ]
    assert [ActionResult.READ_WRITE_DENIED] * 2 == invoked
    assert (demo_config(), None) == (head_end.meter.config, head_end.meter.config.passive)


def test_a_document_overtakes_what_was_being_written(head_end: HeadEnd) -> None:
    """A passive tariff that comes as a document is what the passive calendar is then."""
    write_passive(head_end)
    one_rate = TariffConfig(import_=CalendarConfig(rates=2, label="document"))
    coming = PassiveTariff(activate=MIDNIGHT, tariff=one_rate)
    head_end.meter.apply_config(replace(head_end.meter.config, passive=coming), NOON)
    assert (octets(b"document"), instant(MIDNIGHT)) == (
        head_end.get(IMPORT, 6),
        head_end.get(IMPORT, 10),
    )
    assert octets(b"export") == head_end.get(EXPORT, 6)


def test_every_calendar_takes_what_it_says() -> None:
    """Of a meter that has everything: written as it is read, each is as it was."""
    head_end = HeadEnd(complete_config(), Storage.in_memory(), NOON)
    objects = [str(each.obis) for each in head_end.directory if each.class_id in (11, 20)]
    assert 8 == len(objects)
    for code in objects:
        if code.startswith("0-0:11."):
            assert OK is head_end.set(code, 2, head_end.get(code, 2))
            continue
        for number in PASSIVE:
            value = head_end.get(code, number - 4)
            assert OK is head_end.set(code, number, value)
            assert value == head_end.get(code, number)
        assert DONE is head_end.act(code, 1, CosemData(Tag.INT8, 0))
    assert complete_config() == head_end.meter.config
