"""Calendars and special days over FLAG: lists as JSON, or packed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from elec_meter.access import Level
from elec_meter.events import EventCode
from elec_meter.flag.texts import binary_text, octets_of
from elec_meter.objects.catalogue import complete_config
from tests.elec_meter.flag.programmer import ACK, Desktop, Programmer, refusal

SEASONS = [["1", "*-01-01", "w"], ["S 2", "*-10-L Sun", "w"]]
WEEKS = [["w", 1, 1, 1, 1, 1, 2, 2]]
DAYS = [
    [1, [["00:00:00", "0-0:10.0.100", 1], ["18:30:00", "0-0:10.0.100", 2]]],
    [2, [["00:00:00", "0-0:10.0.100", 2]]],
]
SPECIAL = [[1, "*-12-25", 2]]
WRITTEN = {6: "Summer", 7: SEASONS, 8: WEEKS, 9: DAYS}


@pytest.fixture
def programmer() -> Programmer:
    """The supplier at the demo's meter."""
    return Desktop().programmer(Level.SUPPLIER)


def text(value: Any) -> str:
    """JSON of characters that a value may have, or a text as it is."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":")).replace("*", "\\u002a")


def read(programmer: Programmer, identifier: str, kind: str = "R3") -> str:
    """The values of an answer, joined, whether its identifier is before them or not."""
    answer = programmer.read(f"{identifier}()", kind).replace("\r\n", "")
    return "".join(answer[answer.index("(") + 1 : -1].split(")("))


def test_a_calendar_is_written_and_read(programmer: Programmer) -> None:
    """Part by part, in one command or in blocks; activated at its time."""
    for number, value in WRITTEN.items():
        assert ACK == programmer.write_blocks(f"0-0:13.0.0;{number}", text(value))
    assert "0-0:13.0.0;6(Summer)" == programmer.read("0-0:13.0.0;6()")
    for number in (7, 8, 9):
        assert WRITTEN[number] == json.loads(read(programmer, f"0-0:13.0.0;{number}"))
    assert "0-0:13.0.0;10()" == programmer.read("0-0:13.0.0;10()")
    assert ACK == programmer.command("W1", "0-0:13.0.0;10(260401123000)")
    assert "0-0:13.0.0;10(26-04-01 12:30:00)" == programmer.read("0-0:13.0.0;10()")
    programmer.desktop.now += timedelta(minutes=31)
    programmer.desktop.durable()
    programmer = programmer.desktop.programmer(Level.READER)
    assert "0-0:13.0.0(Summer)" == programmer.read("0-0:13.0.0()")
    assert DAYS == json.loads(read(programmer, "0-0:13.0.0;5", "R1"))
    assert ["import"] == [
        each.removeprefix("the day profiles of the passive calendar of ").split()[0]
        for each in programmer.desktop.texts(EventCode.CONFIGURATION_CHANGED)
        if "day profiles" in each
    ]


def test_lists_come_packed(programmer: Programmer) -> None:
    """MessagePack in base64url, both ways; the method takes a number."""
    for number, value in ((7, SEASONS), (8, WEEKS), (9, DAYS)):
        packed = binary_text(msgspec.msgpack.encode(value))
        assert ACK == programmer.write_blocks(f"0-0:13.0.0;{number}", packed, "W6")
        again = octets_of(read(programmer, f"0-0:13.0.0;{number}", "R6"), is_compact=True)
        assert value == msgspec.msgpack.decode(again)
    assert ACK == programmer.command("W1", "0-0:13.0.0;M1(0)")
    assert SEASONS == json.loads(read(programmer, "0-0:13.0.0;3"))
    short = binary_text(msgspec.msgpack.encode(SPECIAL))
    assert ACK == programmer.command("W5", f"0-0:11.0.0;2({short})")
    assert short == read(programmer, "0-0:11.0.0;2", "R5")


def test_special_days_are_written_inserted_and_deleted(programmer: Programmer) -> None:
    """Without an attribute the table says how many there are."""
    assert ACK == programmer.command("W1", '0-0:11.0.0;2([[1,"\\u002a-12-25",1]])')
    assert ACK == programmer.command("W1", '0-0:11.0.0;M1([3,"2026-12-28",1])')
    entries = [[1, "*-12-25", 1], [3, "2026-12-28", 1]]
    assert entries == json.loads(read(programmer, "0-0:11.0.0;2"))
    assert "0-0:11.0.0(2)" == programmer.read("0-0:11.0.0()")
    assert ACK == programmer.command("W1", "0-0:11.0.0;M2(1)")
    assert entries[1:] == json.loads(read(programmer, "0-0:11.0.0;2"))
    assert "ER08" == refusal(programmer.command("W1", "0-0:11.0.0;M2(1)"))


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        ("0-0:13.0.0;9([[1,[]]])", "ER08", "has no rate from 00:00 all day"),
        ('0-0:13.0.0;9([[1,[["00:00:00","0-0:10.0.100",3]]]])', "ER08", "none of the 2 rates"),
        ("0-0:13.0.0;9([[256,[]]])", "ER08", "the value is not a list of day profiles"),
        ('0-0:13.0.0;9([[1,[["00:00:00Z","0-0:10.0.100",1]]]])', "ER08", "the value is not"),
        ('0-0:13.0.0;9([[1,[["00:00:00","nothing",1]]]])', "ER08", "the value is not"),
        ('0-0:13.0.0;7([["1","04-01","w"]])', "ER08", "the value is not a list of seasons"),
        ("0-0:13.0.0;8({})", "ER08", "the value is not a list of week profiles"),
        ("0-0:13.0.0;8(" + "[" * 120 + "", "ER01", "the form or the lengths"),
        ("0-0:13.0.0;10(260401123000)", "ER08", "nobody has written a passive calendar of import"),
        ("0-0:13.0.0;5([])", "ER07", "attribute 5 of 0-0:13.0.0 cannot be written"),
        ("0-0:11.0.0;M1([])", "ER08", "the value is not a special day"),
    ],
)
def test_what_is_no_calendar_is_refused(
    programmer: Programmer, command: str, code: str, sentence: str
) -> None:
    """With one plain sentence."""
    assert code == refusal(programmer.command("W1", command))
    assert sentence in programmer.read("ER()")


def test_every_calendar_takes_what_it_says() -> None:
    """Of a meter that has everything, in both forms; nothing is other than it was."""
    desktop = Desktop(config=complete_config())
    programmer = desktop.programmer(Level.SUPPLIER)
    for each in [each for each in desktop.meter.objects if each.class_id in (11, 20)]:
        for number in set(each.writable) & {2, 7, 8, 9}:
            said = f"{each.obis};{number if number == 2 else number - 4}"
            for kinds in (("R3", "W3"), ("R6", "W6")):
                value = read(programmer, said, kinds[0])
                assert ACK == programmer.write_blocks(f"{each.obis};{number}", value, kinds[1])
                assert value == read(programmer, f"{each.obis};{number}", kinds[0])
        if each.class_id == 20:
            assert ACK == programmer.command("W1", f"{each.obis};M1(0)")
    assert complete_config() == desktop.meter.config
