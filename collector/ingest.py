"""From a received frame to a verified reading or a typed refusal; no I/O, and no exception."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias, assert_never

from shared.wire import errors as wire
from shared.wire.advert import advert_key
from shared.wire.bthome import open_advert
from shared.wire.header import MODE_5, MODE_NONE, Header
from shared.wire.oms import MANUFACTURER, Message, open_message
from shared.wire.records import parse_records
from shared.wire.telegram import FLAG_LOW_BATTERY, PulseTelegram, decode_records

from . import events
from .adverts import AdvertSaid, advert_said
from .bearers.base import ReceivedFrame
from .entries import TelegramKey, forward
from .events import CountReceived, Refusal, StateReceived, TelegramReceived
from .fleet import Fleet, FleetUnit, Freshness, Judged
from .heading import header_of
from .keys import Keys
from .selector import CountSaid

Reading: TypeAlias = TelegramReceived | CountReceived | StateReceived
"""What may be taken from a frame."""

_STATUS_LOW_POWER = 0x04
_ENDED = "it was taken off its meter"


class Ingest:
    """The gate: identify, find the key, authenticate, decode, and tell readings from replays.

    Args:
        fleet: the paired units; an accepted reading is remembered in its unit's replay window.
        keys: their keys.
    """

    def __init__(self, fleet: Fleet, keys: Keys) -> None:
        from shared.crypto.backend_cryptography import AesBlock

        self._aes = AesBlock
        self._fleet = fleet
        self._keys = keys

    def receive(self, frame: ReceivedFrame) -> Reading | Refusal:
        """The reading in a frame, or why there is none; whatever the bytes are.

        A telegram of our own units, over radio or wire, is a `TelegramReceived`. A telegram of
        another maker's meter and an advert with a count are a `CountReceived`, an advert without
        one a `StateReceived`.

        The caller makes what is accepted durable before it lets the reading be seen.
        """
        if frame.address is not None:
            return self._receive_advert(frame, frame.address)
        try:
            header = header_of(frame.data)
        except wire.WireError as error:
            return _refused_frame(frame, error)
        unit = self._fleet.get(header.serial)
        if unit is None or unit.record.manufacturer != header.manufacturer:
            return _stranger(frame, header)
        serial = unit.record.serial
        refusal = _not_as_paired(frame, unit, header)
        if refusal is not None:
            return refusal
        try:
            message = open_message(self._aes, header, self._keys.get(serial))
        except wire.WireError as error:
            return _refused_message(frame, serial, error)
        if message.header is not header:  # the link was enciphered, and what it hid comes to light
            if (message.serial, message.manufacturer) != (serial, unit.record.manufacturer):
                return _stranger(frame, message.header)
            refusal = _not_as_paired(frame, unit, message.header)
            if refusal is not None:
                return refusal
        try:
            if unit.record.manufacturer == MANUFACTURER:
                return self._admit_telegram(frame, unit, message, decode_records(message.records))
            return self._admit_count(frame, unit, message)
        except wire.WireError as error:
            return _refused_records(frame, serial, error)

    def _admit_telegram(
        self, frame: ReceivedFrame, unit: FleetUnit, message: Message, telegram: PulseTelegram
    ) -> TelegramReceived | Refusal:
        said = CountSaid(telegram.count, telegram.uptime_s, telegram.reset_counter)
        refusal, key = _judged_message(frame, unit, message, said)
        if refusal is not None:
            return refusal
        unit.accept(key, telegram.count)
        return TelegramReceived(
            received_utc=frame.received_utc,
            serial=unit.record.serial,
            boot=key.boot,
            counter=key.counter,
            telegram=telegram,
            is_authentic=message.is_authentic,
            bearer=frame.bearer,
            delay_max_s=frame.delay_max_s,
            rssi_dbm=frame.rssi_dbm,
        )

    def _admit_count(
        self, frame: ReceivedFrame, unit: FleetUnit, message: Message
    ) -> CountReceived | Refusal:
        serial = unit.record.serial
        content = message.records
        if message.header.is_format:
            unit.formats.learn_format(content)
            return _refusal(events.NoCount, frame, serial, "the frame tells a format and no count")
        if message.header.is_compact:
            content = unit.formats.expand(content)
        said = unit.selector.read(parse_records(content))
        if isinstance(said, str):
            return _refusal(events.NoCount, frame, serial, said)
        if said.count == 0 and unit.count:
            return _refusal(events.NoCount, frame, serial, "the count is zero and was not")
        # Message counters alone are the order; a boot that some telegrams leave out is none.
        boot = said.reset_counter if unit.record.allow_unauthenticated else None
        refusal, key = _judged_message(frame, unit, message, replace(said, reset_counter=boot))
        if refusal is not None:
            return refusal
        unit.accept(key, said.count)
        unit.formats.learn(content)
        return CountReceived(
            received_utc=frame.received_utc,
            serial=serial,
            key=key,
            is_advert=False,
            count=said.count,
            is_authentic=message.is_authentic and not unit.record.allow_unauthenticated,
            error_flags=FLAG_LOW_BATTERY if message.status & _STATUS_LOW_POWER else 0,
            bearer=frame.bearer,
            delay_max_s=frame.delay_max_s,
            rssi_dbm=frame.rssi_dbm,
        )

    def _receive_advert(self, frame: ReceivedFrame, address: bytes) -> Reading | Refusal:
        unit = self._fleet.advertiser(address)
        if unit is None:
            reason = f"{address.hex(':')} is not paired"
            return _refusal(events.UnknownUnit, frame, None, reason)
        serial = unit.record.serial
        if unit.has_ended:
            return _refusal(events.UnitEnded, frame, serial, _ENDED)
        key = self._keys.get(serial)
        sealed_with = None if key is None else advert_key(self._aes, key, address)
        try:
            advert = open_advert(self._aes, frame.data, address, sealed_with)
        except wire.WireError as error:
            return _refused_message(frame, serial, error)
        if advert.counter is None:
            return _refusal(
                events.PlaintextDowngrade, frame, serial, "a plain advert proves nothing"
            )
        said = advert_said(advert.measurements)
        judged = unit.adverts.judge(0, advert.counter)
        refusal = _not_fresh(frame, serial, judged, "advert")
        if refusal is not None:
            return refusal
        unit.adverts.accept(judged.key)
        return _advert_reading(frame, serial, judged.key, said)


def _advert_reading(
    frame: ReceivedFrame, serial: str, key: TelegramKey, said: AdvertSaid
) -> Reading:
    if said.count is None:
        return StateReceived(
            received_utc=frame.received_utc,
            serial=serial,
            key=key,
            battery_percent=said.battery_percent,
            error_flags=said.error_flags or 0,
            volume_l=said.volume_l,
            bearer=frame.bearer,
            rssi_dbm=frame.rssi_dbm,
        )
    return CountReceived(
        received_utc=frame.received_utc,
        serial=serial,
        key=key,
        is_advert=True,
        count=said.count,
        is_authentic=True,
        error_flags=said.error_flags,
        bearer=frame.bearer,
        delay_max_s=frame.delay_max_s,
        rssi_dbm=frame.rssi_dbm,
    )


def _judged_message(
    frame: ReceivedFrame, unit: FleetUnit, message: Message, said: CountSaid
) -> tuple[Refusal | None, TelegramKey]:
    """A telegram's place in the order of sending, and why it is refused for that, if it is."""
    if unit.record.allow_unauthenticated:
        key = unit.next_key(said.reset_counter, said.uptime_s)
        return _not_rising(frame, unit, key, said.count), key
    assert message.message_counter is not None  # what is authentic has one
    judged = unit.window.judge(said.reset_counter or 0, message.message_counter)
    return _not_fresh(frame, unit.record.serial, judged, "telegram"), judged.key


def _not_as_paired(frame: ReceivedFrame, unit: FleetUnit, header: Header) -> Refusal | None:
    serial = unit.record.serial
    if unit.has_ended:
        return _refusal(events.UnitEnded, frame, serial, _ENDED)
    if header.medium != unit.record.medium:
        reason = f"medium {header.medium} where {unit.record.medium} was paired"
        return _refusal(events.WrongMedium, frame, serial, reason)
    is_hidden = header.ell is not None and header.ell.sealed is not None
    is_open = not is_hidden and header.mode in (MODE_NONE, MODE_5)
    if is_open and not unit.record.allow_unauthenticated:
        reason = f"security mode {header.mode} proves nothing"
        return _refusal(events.PlaintextDowngrade, frame, serial, reason)
    return None


def _stranger(frame: ReceivedFrame, header: Header) -> Refusal:
    if not any(header.address):
        return _refusal(events.UnknownUnit, frame, None, "the message does not name its sender")
    sender = f"{header.manufacturer} {header.serial}"
    return _refusal(events.UnknownUnit, frame, header.serial, f"{sender} is not paired")


def _refusal(kind: type[Refusal], frame: ReceivedFrame, serial: str | None, reason: str) -> Refusal:
    return kind(received_utc=frame.received_utc, serial=serial, bearer=frame.bearer, reason=reason)


def _refused_frame(frame: ReceivedFrame, error: wire.WireError) -> Refusal:
    kind: type[Refusal] = events.MalformedFrame
    if isinstance(error, wire.BadCrc):
        kind = events.BadCrc
    elif isinstance(error, wire.Unsupported):
        kind = events.UnsupportedFrame
    return _refusal(kind, frame, None, str(error))


def _refused_message(frame: ReceivedFrame, serial: str, error: wire.WireError) -> Refusal:
    kind: type[Refusal] = events.MalformedFrame
    if isinstance(error, (wire.BadMac, wire.BadKey)):
        kind = events.BadMac
    elif isinstance(error, wire.KeyNeeded):
        return _refusal(events.KeyMissing, frame, serial, f"{error}: it is not in the keystore")
    elif isinstance(error, wire.Unsupported):
        kind = events.UnsupportedFrame
    return _refusal(kind, frame, serial, str(error))


def _refused_records(frame: ReceivedFrame, serial: str, error: wire.WireError) -> Refusal:
    is_unknown = isinstance(error, wire.Unsupported)
    kind = events.UnsupportedFrame if is_unknown else events.MalformedRecord
    return _refusal(kind, frame, serial, str(error))


def _not_fresh(frame: ReceivedFrame, serial: str, judged: Judged, what: str) -> Refusal | None:
    freshness, key = judged
    if freshness is Freshness.UNSEEN:
        return None
    reason = f"{what} {key.counter} of boot {key.boot}"
    if freshness is Freshness.SEEN:
        return events.Replayed(
            received_utc=frame.received_utc,
            serial=serial,
            bearer=frame.bearer,
            reason=f"{reason} was received before",
            boot=key.boot,
            counter=key.counter,
            is_advert=what == "advert",
            delay_max_s=frame.delay_max_s,
        )
    if freshness is Freshness.TOO_OLD:
        reason = f"{reason} is too far behind the newest, or in no order"
        return _refusal(events.TooOld, frame, serial, reason)
    assert_never(freshness)


def _not_rising(
    frame: ReceivedFrame, unit: FleetUnit, key: TelegramKey, count: int
) -> Refusal | None:
    serial = unit.record.serial
    if unit.newest is not None and key <= unit.newest:
        return _refusal(events.NotRising, frame, serial, "the uptime does not rise")
    if forward(count, unit.count) < 0:
        return _refusal(events.NotRising, frame, serial, "the count does not rise")
    return None
