"""Push, class 40: half-hours and alarms are sent to a head end that has not asked (IEC 62056-6-2).

What waits for a head end that is away is no queue: it is the rows that the ledger has after the
last one that was delivered. Nothing grows with the outage, and a notification that is sent twice
says twice the same: its rows are told by their time, and its alarms are all that were raised.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from elec_meter.config import UNTIL_DELIVERED, PushConfig
from elec_meter.dlms.ciphering import Ciphering, Keys, Protection, seal
from elec_meter.dlms.cursor import Cursor, encode_length
from elec_meter.dlms.data import array, encode_data
from elec_meter.dlms.device import SERVER_SAP, LogicalDevice
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.notices import DATA_NOTIFICATION
from elec_meter.dlms.profiles import buffer
from elec_meter.dlms.rendering import render
from elec_meter.dlms.selection import RowSelection
from elec_meter.dlms.tags import Tag
from elec_meter.dlms.wrapper import Wrapped
from elec_meter.objects import PUSHED_ROWS, ProfileGeneric
from shared.obis import Obis
from shared.timegrid import from_unix_s, unix_s

ROWS_MAX: Final = 96
"""Rows in one notification; further ones are in the next."""

BODY_MAX: Final = 65_000
"""Bytes that one notification tells: a wrapper has room for as many, and for what is around them.
More than that is not sent."""

_ALARMS: Final = Obis.parse("0-0:97.98.20")
_VALUE: Final = 2
_NUMBER_MODULUS: Final = 1 << 24
_SECOND: Final = timedelta(seconds=1)
_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)
_FORMAT: Final = 1


class _Sent(NamedTuple):
    """What a notification tells, once it is delivered."""

    through_s: int
    alarms: int


class Push:
    """What is to be sent, and when. It has no socket: whoever has one says how it went.

    Args:
        device: gives the meter as it is now.
        config: gives to whom, of what, and how patiently, as it is now.
        saved: what `packed` gave once; empty to begin with what closes from now on.
        now: the host's UTC, as in every other call.

    Raises:
        MalformedError: `saved` is damaged.
    """

    def __init__(
        self,
        device: Callable[[], LogicalDevice],
        config: Callable[[], PushConfig],
        saved: bytes,
        now: datetime,
    ) -> None:
        self._device = device
        self._config = config
        self._followed = config()
        self._failures = 0
        self._due_at = now
        self._sent: _Sent | None = None
        self._given_up: _Sent | None = None
        self._number = self._alarms = 0
        if saved:
            cursor = Cursor(saved)
            cursor.expect(bytes((_FORMAT,)), "the format of what was pushed")
            numbers = (cursor.unsigned(8), cursor.unsigned(4), cursor.unsigned(3))
            cursor.finish()
            self._through_s, self._alarms, self._number = numbers
        else:
            self._through_s = unix_s(now - timedelta(days=1))
            self._pass_over(now)

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the head end; None for nobody."""
        return self._config().address

    def packed(self) -> bytes:
        """To be kept: what was delivered, and the number of the next notification."""
        return b"".join(
            (
                bytes((_FORMAT,)),
                self._through_s.to_bytes(8, "big"),
                self._alarms.to_bytes(4, "big"),
                self._number.to_bytes(3, "big"),
            )
        )

    def next_timer(self) -> datetime:
        """When `message` is to be asked for next."""
        config = self._config()
        if config != self._followed:
            # Another head end has not failed yet.
            self._followed, self._failures, self._given_up = config, 0, None
            self._due_at = _AT_ONCE
        return self._due_at

    def message(self, now: datetime) -> bytes:
        """What is to be sent now, durable already; empty for nothing.

        Nothing is sent where the client has no keys, either: half-hours are personal data.

        Raises:
            CheckpointFailedError: nothing may be said now; `failed` is to be called.
        """
        if now < self.next_timer():
            return b""
        device, config = self._device(), self._followed
        self._due_at = now + timedelta(seconds=config.look_every_s)
        if config.address is None:
            self._pass_over(now)
            return b""
        rule = device.rule(config.client)
        if rule is None or rule.keys is None:
            return b""
        oldest_s = unix_s(now - timedelta(days=config.keep_days))
        first = from_unix_s(max(self._through_s + 1, oldest_s))
        stamps = [row[0] for row in self._profile().rows(first)][:ROWS_MAX]
        alarms = self._raised(device, now)
        self._alarms &= alarms  # what was cleared is news when it comes back
        if not stamps and alarms == self._alarms:
            return b""
        last = stamps[-1] if stamps else first - _SECOND
        assert isinstance(last, datetime)
        sent = _Sent(max(unix_s(last), self._through_s), alarms)
        if sent == self._given_up:
            return b""
        if self._given_up is not None:
            self._failures, self._given_up = 0, None
        rows = encode_data(array()) if not stamps else self._rows(device, first, last)
        body = self._body(device, rows, now)
        if len(body) > BODY_MAX:
            self._given_up = sent
            return b""
        self._sent = sent
        return self._protected(device, rule.keys, body, now)

    def delivered(self, now: datetime) -> None:
        """The head end has it all."""
        if self._sent is not None:
            self._through_s, self._alarms = self._sent
            self._sent, self._failures, self._due_at = None, 0, now

    def failed(self, now: datetime) -> None:
        """It may have it or not: it is sent again."""
        config, sent = self._followed, self._sent
        self._sent = None
        delay_s = min(config.delay_s << min(self._failures, 16), config.delay_max_s)
        self._failures += 1
        if sent is not None and config.retries < min(self._failures, UNTIL_DELIVERED):
            self._given_up = sent
        self._due_at = now + timedelta(seconds=delay_s)

    def send_now(self, now: datetime) -> None:
        """Somebody asked for it: wait for no repetition, and for nothing else that is new."""
        self._due_at, self._failures, self._given_up = now, 0, None

    def _pass_over(self, now: datetime) -> None:
        """Take what there is for delivered: nobody was to have it."""
        stamps = [row[0] for row in self._profile().rows(from_unix_s(self._through_s + 1))]
        newest = stamps[-1] if stamps else None
        if isinstance(newest, datetime):
            self._through_s = unix_s(newest)
        self._alarms = self._raised(self._device(), now)

    def _raised(self, device: LogicalDevice, now: datetime) -> int:
        return int(str(device.directory[_ALARMS].value_at(now) or 0))

    def _profile(self) -> ProfileGeneric:
        profile = self._device().directory[PUSHED_ROWS]
        assert isinstance(profile, ProfileGeneric)
        return profile

    def _rows(self, device: LogicalDevice, first: datetime, last: datetime) -> bytes:
        profile = self._profile()
        columns = tuple(range(len(profile.columns)))
        return buffer(profile, device.directory, RowSelection(columns, first, last))

    def _body(self, device: LogicalDevice, rows: bytes, now: datetime) -> bytes:
        """What is told, one behind the other."""
        told = []
        for each in self._followed.objects:
            found = device.directory[each.object]
            is_rows = found.obis == PUSHED_ROWS and each.attribute == _VALUE
            told.append(rows if is_rows else render(found, each.attribute, now))
        return bytes((Tag.STRUCTURE,)) + encode_length(len(told)) + b"".join(told)

    def _protected(self, device: LogicalDevice, keys: Keys, body: bytes, now: datetime) -> bytes:
        self._number = (self._number + 1) % _NUMBER_MODULUS
        stamp = encode_date_time(now)
        apdu = b"".join(
            (
                bytes((DATA_NOTIFICATION,)),
                self._number.to_bytes(4, "big"),
                bytes((len(stamp),)) + stamp,
                body,
            )
        )
        counter = device.counters.next_sent(keys)
        # The counter, too: a nonce that was used must not come back.
        device.durable()
        sealed = seal(apdu, Ciphering.GENERAL_GLOBAL, Protection.BOTH, keys, device.title, counter)
        return Wrapped(SERVER_SAP, self._followed.client, sealed).to_bytes()
