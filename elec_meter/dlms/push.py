"""Push, class 40: half-hours and alarms are sent to a head end that has not asked (IEC 62056-6-2).

What waits for a head end that is away is no queue: it is the rows that the ledger has after the
last one that was delivered. Nothing grows with the outage, and a notification that is sent twice
says twice the same: its rows are told by their time, and its alarms are all that were raised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from elec_meter.dlms.action import ActionOutcome
from elec_meter.dlms.ciphering import Form, Protection, seal
from elec_meter.dlms.cursor import Cursor, encode_length
from elec_meter.dlms.data import (
    CosemData,
    array,
    encode_data,
    enum,
    int8,
    octets,
    structure,
    uint8,
    uint16,
)
from elec_meter.dlms.device import SERVER_SAP, LogicalDevice
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.notices import DATA_NOTIFICATION
from elec_meter.dlms.policy import Level
from elec_meter.dlms.profiles import buffer
from elec_meter.dlms.rendering import render
from elec_meter.dlms.selection import RowSelection
from elec_meter.dlms.services import ActionResult
from elec_meter.dlms.view import OwnObject
from elec_meter.dlms.wrapper import Wrapped
from elec_meter.errors import ConfigError
from elec_meter.objects import ProfileGeneric
from shared.obis import Obis
from shared.timegrid import from_unix_s, unix_s

PUSH_SETUP: Final = Obis.parse("0-0:25.9.0")
ROWS_MAX: Final = 96
"""Rows in one notification; further ones are in the next."""

_NAME: Final = Obis.parse("0-0:42.0.0")
_ROWS: Final = Obis.parse("1-0:99.1.0")
_ALARMS: Final = Obis.parse("0-0:97.98.20")
_MEMBERS: Final = ((1, _NAME), (7, _ROWS), (1, _ALARMS))
_VALUE: Final = 2
_CLASS: Final = 40
_SEND_NOW: Final = 1
_TCP, _XDLMS = 0, 0
_EVER: Final = 0xFF
_DELAY_MAX: Final = 0xFFFF
_NUMBER_MODULUS: Final = 1 << 24
_SECOND: Final = timedelta(seconds=1)
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRule:
    """To whom a meter pushes, and how patiently.

    Attributes:
        host: of the head end.
        port: where it listens.
        sap: the client whose keys protect what is sent: half-hours are personal data.
        look_every_s: how often it is seen whether there is anything to be sent.
        delay_s: between a failure and the first repetition; it doubles with every further one.
        delay_max_s: the longest.
        keep_days: rows that are older are not sent any more; they can still be read.

    Raises:
        ConfigError: a number that makes no sense.
    """

    host: str
    port: int
    sap: int = 1
    look_every_s: int = 30
    delay_s: int = 10
    delay_max_s: int = 3_600
    keep_days: int = 31

    def __post_init__(self) -> None:
        numbers = (self.look_every_s, self.delay_s, self.keep_days)
        if min(numbers) < 1 or not self.delay_s <= self.delay_max_s <= _DELAY_MAX:
            raise ConfigError("a push waits at least a second, and at most 65535")


class _Sent(NamedTuple):
    """What a notification tells, once it is delivered."""

    through_s: int
    alarms: int


class Push:
    """What is to be sent, and when. It has no socket: whoever has one says how it went.

    Args:
        device: gives the meter as it is now.
        rule: to whom, and how patiently.
        saved: what `packed` gave once; empty to begin with what closes from now on.
        now: the host's UTC, as in every other call.

    Raises:
        MalformedError: `saved` is damaged.
        ConfigError: the client of the rule has no keys.
    """

    def __init__(
        self, device: Callable[[], LogicalDevice], rule: PushRule, saved: bytes, now: datetime
    ) -> None:
        self.rule = rule
        self._device = device
        self._failures = 0
        self._due_at = now
        self._sent: _Sent | None = None
        client = device().rule(rule.sap)
        if client is None or client.keys is None:
            raise ConfigError(f"DLMS client {rule.sap}, to whom to push, has no keys")
        self._number = 0
        if saved:
            cursor = Cursor(saved)
            cursor.expect(bytes((_FORMAT,)), "the format of what was pushed")
            numbers = (cursor.unsigned(8), cursor.unsigned(4), cursor.unsigned(3))
            cursor.finish()
            self._through_s, self._alarms, self._number = numbers
        else:
            rows = self._profile().rows(now - timedelta(days=1))
            newest = rows[-1][0] if rows else now
            assert isinstance(newest, datetime)
            self._through_s, self._alarms = unix_s(newest), 0

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
        return self._due_at

    def message(self, now: datetime) -> bytes:
        """What is to be sent now, durable already; empty for nothing.

        Raises:
            CheckpointFailedError: nothing may be said now; `failed` is to be called.
        """
        if now < self._due_at:
            return b""
        device, rule = self._device(), self.rule
        self._due_at = now + timedelta(seconds=rule.look_every_s)
        oldest_s = unix_s(now - timedelta(days=rule.keep_days))
        profile = self._profile()
        first = from_unix_s(max(self._through_s + 1, oldest_s))
        stamps = [row[0] for row in profile.rows(first)][:ROWS_MAX]
        alarms = int(str(device.directory[_ALARMS].value_at(now) or 0))
        self._alarms &= alarms  # what was cleared is news when it comes back
        if not stamps and alarms == self._alarms:
            return b""
        last = stamps[-1] if stamps else first - _SECOND
        assert isinstance(last, datetime)
        self._sent = _Sent(max(unix_s(last), self._through_s), alarms)
        columns = tuple(range(len(profile.columns)))
        rows = encode_data(array())
        if stamps:
            rows = buffer(profile, device.directory, RowSelection(columns, first, last))
        body = b"".join(
            (
                bytes((structure().tag,)) + encode_length(len(_MEMBERS)),
                render(device.directory[_NAME], _VALUE, now),
                rows,
                render(device.directory[_ALARMS], _VALUE, now),
            )
        )
        return self._protected(device, body, now)

    def delivered(self, now: datetime) -> None:
        """The head end has it all."""
        if self._sent is not None:
            self._through_s, self._alarms = self._sent
            self._sent, self._failures, self._due_at = None, 0, now

    def failed(self, now: datetime) -> None:
        """It may have it or not: it is sent again."""
        self._sent = None
        rule = self.rule
        delay_s = min(rule.delay_s << min(self._failures, 16), rule.delay_max_s)
        self._failures += 1
        self._due_at = now + timedelta(seconds=delay_s)

    def send_now(self, now: datetime) -> None:
        """Somebody asked for it: wait for no repetition."""
        self._due_at = now

    def object(self, level: Level) -> OwnObject:
        """The object; method 1, for level 3, has what waits sent at once."""
        rule = self.rule
        members = (
            structure(uint16(number), octets(obis.to_bytes()), int8(_VALUE), uint16(0))
            for number, obis in _MEMBERS
        )
        destination = octets(f"{rule.host}:{rule.port}".encode())
        readers = {
            2: array(*members),
            3: structure(enum(_TCP), destination, enum(_XDLMS)),
            4: array(),
            5: uint16(0),
            6: uint8(_EVER),
            7: uint16(rule.delay_s),
        }

        def push(_: CosemData | None) -> ActionOutcome:
            self.send_now(self._device().directory.now())
            return ActionOutcome(ActionResult.SUCCESS)

        return OwnObject(
            _CLASS,
            {number: partial(encode_data, value) for number, value in readers.items()},
            {_SEND_NOW: push if level >= Level.SUPPLIER else None},
        )

    def _profile(self) -> ProfileGeneric:
        profile = self._device().directory[_ROWS]
        assert isinstance(profile, ProfileGeneric)
        return profile

    def _protected(self, device: LogicalDevice, body: bytes, now: datetime) -> bytes:
        client = device.rule(self.rule.sap)
        assert client is not None
        assert client.keys is not None
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
        counter = device.counters.next_sent(client.keys)
        # The counter, too: a nonce that was used must not come back.
        device.durable()
        sealed = seal(
            apdu, Form.GENERAL_GLOBAL, Protection.BOTH, client.keys, device.title, counter
        )
        return Wrapped(SERVER_SAP, self.rule.sap, sealed).to_bytes()
