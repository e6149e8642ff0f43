"""A head end on `gurux-dlms` that sets a calendar, run as a program of its own beside the reader.

`HOST PORT WISHES`; it prints what it reads again, as one JSON list. Nothing of it is ever imported.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

from gurux_dlms import GXByteBuffer, GXDate, GXDateTime, GXTime
from gurux_dlms.enums import DateTimeSkips
from gurux_dlms.objects import (
    GXDLMSActivityCalendar,
    GXDLMSDayProfile,
    GXDLMSDayProfileAction,
    GXDLMSSeasonProfile,
    GXDLMSSpecialDay,
    GXDLMSSpecialDaysTable,
    GXDLMSWeekProfile,
)
from reading_client import Reader

NO_YEAR = DateTimeSkips.YEAR | DateTimeSkips.DAY_OF_WEEK
NO_TIME = (
    DateTimeSkips.HOUR
    | DateTimeSkips.MINUTE
    | DateTimeSkips.SECOND
    | DateTimeSkips.MILLISECOND
    | DateTimeSkips.DEVITATION
    | DateTimeSkips.STATUS
)


def every_year(kind: type[GXDateTime], month: int, day: int) -> Any:
    """A date without a year."""
    date = kind(datetime(2000, month, day, tzinfo=UTC))
    date.skip = NO_YEAR | NO_TIME
    return date


def week_of(name: str, *days: int) -> GXDLMSWeekProfile:
    """A week profile."""
    week = GXDLMSWeekProfile()
    week.name = name.encode()
    week.monday, week.tuesday, week.wednesday, week.thursday, week.friday = days[:5]
    week.saturday, week.sunday = days[5:]
    return week


def calendar_of(wishes: dict[str, Any]) -> GXDLMSActivityCalendar:
    """The passive calendar that is wished for."""
    calendar = GXDLMSActivityCalendar(wishes["calendar"])
    calendar.calendarNamePassive = wishes["name"]
    calendar.seasonProfilePassive = [
        GXDLMSSeasonProfile(name.encode(), every_year(GXDateTime, *start), week.encode())
        for name, start, week in wishes["seasons"]
    ]
    calendar.weekProfileTablePassive = [week_of(*each) for each in wishes["weeks"]]
    calendar.dayProfileTablePassive = [
        GXDLMSDayProfile(
            number,
            [
                GXDLMSDayProfileAction(
                    GXTime(datetime(2000, 1, 1, *at, tzinfo=UTC)), wishes["table"], selector
                )
                for at, selector in actions
            ],
        )
        for number, actions in wishes["days"]
    ]
    calendar.time = GXDateTime(datetime.fromisoformat(wishes["activate"]))
    return calendar


def insert_special_day(reader: Reader, wishes: dict[str, Any]) -> None:
    """By the method."""
    number, date, day = wishes["special"]
    entry = GXDLMSSpecialDay()
    entry.index, entry.date, entry.dayId = number, every_year(GXDate, *date), day
    table = GXDLMSSpecialDaysTable(wishes["specials"])
    reader.exchange(table.insert(reader.client, entry))


def plain(value: Any) -> Any:
    """For JSON: octets in hexadecimal."""
    if isinstance(value, (bytes, bytearray, GXByteBuffer)):
        return bytes(value).hex()
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, (int, str)) else str(value)


def main() -> None:
    """Write attributes 6 to 10 one by one, read 6 to 9 again."""
    host, port, wishes = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    reader = Reader(host, port, wishes)
    reader.connect()
    if "specials" in wishes:
        insert_special_day(reader, wishes)
    calendar = calendar_of(wishes)
    for number in (6, 7, 8, 9, 10):
        reader.exchange(reader.client.write(calendar, number))
    read = GXDLMSActivityCalendar(wishes["calendar"])
    said = []
    for number in (6, 7, 8, 9):
        reply = reader.exchange(reader.client.read(read, number))
        said.append(plain(reply.value))
    reader.close()
    print(json.dumps(said))  # noqa: T201 - a program's own words


if __name__ == "__main__":
    main()
