"""Half-hours for a head end that is away now and then: what it has, what is to be sent, and when.

Nothing queues: what waits are the rows that the meter has after the last one that was
acknowledged. A row that is sent twice says twice the same, and is told by its time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Final, NamedTuple

from elec_meter.addons.errors import SettingError
from elec_meter.addons.row_asking import Row
from elec_meter.dlms.cursor import Cursor
from elec_meter.dlms.data import NULL, CosemData, array, octets, structure
from elec_meter.dlms.errors import DlmsError
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.notices import DataNotification
from elec_meter.dlms.tags import NUMBERS, Tag
from elec_meter.dlms.wrapper import Wrapped
from shared.obis import Obis
from shared.timegrid import HALF_HOUR_S

ROWS_MAX: Final = 96
"""Rows in one notification; further ones are in the next."""

CONFIRM: Final = 0x10
"""The tag of a data-notification-confirm (IEC 62056-5-3)."""

CONFIRM_MAX: Final = 64
"""Bytes of what a head end may say."""

_CONFIRMED: Final = 1 << 30
_NUMBER_MODULUS: Final = 1 << 24
_METER_SAP, _HEAD_END_SAP = 1, 1
_DATE_TIME_MAX: Final = 12
_HALF_HOUR: Final = timedelta(seconds=HALF_HOUR_S)
_WINDOW: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_UNSIGNED: Final = (Tag.UINT8, Tag.UINT16, Tag.UINT32, Tag.UINT64)


class Backoff:
    """Pauses that double while nothing comes of trying.

    Args:
        first_s: the first pause.
        longest_s: where they end.
    """

    def __init__(self, first_s: float = 1.0, longest_s: float = 300.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def failed(self) -> float:
        """It was in vain; the seconds until it is tried again."""
        pause_s = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return pause_s

    def worked(self) -> None:
        """It was not; the next pause is the first again."""
        self._failures = 0


class Window(NamedTuple):
    """Rows of a profile to be asked for, stamped from `first` to `last`, both included."""

    profile: str
    first: datetime
    last: datetime


class Forwarding:
    """How far a head end has each profile.

    Args:
        profiles: their OBIS codes.
        keep: rows that are older than this are not sent any more; the meter still has them.
        saved: what `saved` gave once; empty at first.

    Raises:
        SettingError: `saved` is damaged.

    Attributes:
        rows: acknowledged since the start.
        octets: of messages and of what they were answered with, since the start.
    """

    def __init__(self, profiles: Sequence[str], keep: timedelta, saved: str = "") -> None:
        self.rows = self.octets = 0
        self._keep = keep
        self._through: dict[str, datetime] = {}
        self._number = 0
        self._sent: tuple[str, Row, int] | None = None
        if saved:
            self._load(saved)
        self._looked = {each: self._through.get(each) for each in profiles}

    def saved(self) -> str:
        """To be kept: what was acknowledged, and the number of the last message."""
        through = {code: at.isoformat() for code, at in sorted(self._through.items())}
        return json.dumps({"number": self._number, "through": through})

    def through(self, profile: str) -> datetime | None:
        """The end of the last row that the head end has acknowledged; None for none yet."""
        return self._through.get(profile)

    def windows(self, now: datetime) -> list[Window]:
        """What is to be asked for next, by the meter's time; none that lies ahead of it."""
        windows = []
        for profile, looked in self._looked.items():
            first = max(looked or now - self._keep, now - self._keep) + _SECOND
            if first <= now:
                windows.append(Window(profile, first, min(first + _WINDOW, now)))
        return windows

    def has_more(self, window: Window, rows: Sequence[Row], now: datetime) -> bool:
        """Whether there may be further rows behind those of a window; notes an empty one."""
        if not rows and window.last < now:
            self._looked[window.profile] = window.last
        return window.last < now and (not rows or rows[-1].is_final)

    def message(self, serial: str, profile: str, rows: Sequence[Row]) -> bytes:
        """A notification of the rows that are final, up to the first that is not.

        Args:
            serial: the meter's number.
            profile: the OBIS code of the profile that they are of.
            rows: in order of time.

        Returns:
            The wrapped APDU; empty for nothing to be said.
        """
        final = list(takewhile(lambda row: row.is_final, rows))[:ROWS_MAX]
        if not final:
            return b""
        self._number = (self._number + 1) % _NUMBER_MODULUS
        self._sent = profile, final[-1], len(final)
        body = structure(
            octets(serial.encode("ascii", "replace")),
            octets(Obis.parse(profile).to_bytes()),
            _buffer(final),
        )
        apdu = DataNotification(self._number | _CONFIRMED, b"", body).to_bytes()
        return Wrapped(_METER_SAP, _HEAD_END_SAP, apdu).to_bytes()

    def is_acknowledged_by(self, wrapped: Wrapped) -> bool:
        """Whether an APDU confirms the last message; if so, the head end has its rows."""
        if self._sent is None or _confirmed(wrapped.apdu) != self._number:
            return False
        profile, last, count = self._sent
        self._sent = None
        self._through[profile] = self._looked[profile] = last.end
        self.rows += count
        return True

    def _load(self, saved: str) -> None:
        try:
            document: Mapping[str, Any] = json.loads(saved)
            self._number = int(document["number"]) % _NUMBER_MODULUS
            for code, at in document["through"].items():
                self._through[str(code)] = datetime.fromisoformat(at).astimezone(UTC)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise SettingError(
                "the setting state_file names a file that this module has not written"
            ) from None


def _confirmed(apdu: bytes) -> int | None:
    """The number that a data-notification-confirm names; None for anything else."""
    cursor = Cursor(apdu)
    try:
        cursor.expect(bytes((CONFIRM,)), "a confirmation")
        number = cursor.unsigned(4) % _NUMBER_MODULUS
        cursor.octets(_DATE_TIME_MAX)
        cursor.finish()
    except DlmsError:
        return None
    return number


def _buffer(rows: Sequence[Row]) -> CosemData:
    """Rows as those of a ProfileGeneric; a stamp half an hour after the one before is left out."""
    columns = list(zip(*(row.cells for row in rows), strict=True))
    tags = [_tag(max(cell or 0 for cell in column)) for column in columns]
    before: datetime | None = None
    listed = []
    for end, cells in rows:
        is_next = before is not None and end - before == _HALF_HOUR
        stamp = NULL if is_next else octets(encode_date_time(end))
        listed.append(structure(stamp, *map(CosemData, tags, cells)))
        before = end
    return array(*listed)


def _tag(largest: int) -> Tag:
    """The shortest type that a number fits."""
    return next(tag for tag in _UNSIGNED if largest < 1 << 8 * NUMBERS[tag].size)
