"""From a received frame to a verified telegram or a typed refusal; no I/O, and no exception."""

from __future__ import annotations

from typing import assert_never

from shared.wire import errors as wire
from shared.wire.header import MODE_5, MODE_NONE, parse_header
from shared.wire.oms import Message, open_message
from shared.wire.telegram import PulseTelegram, decode_records
from shared.wire.wmbus import unframe

from . import events
from .bearers.base import ReceivedFrame
from .entries import TelegramKey, forward
from .events import Refusal, TelegramReceived
from .fleet import Fleet, FleetUnit, Freshness, Judged, boot_near
from .keys import Keys


class Ingest:
    """The gate: identify, find the key, authenticate, decode, and tell readings from replays.

    Args:
        fleet: the paired units; an accepted telegram is remembered in its unit's replay window.
        keys: their keys.
    """

    def __init__(self, fleet: Fleet, keys: Keys) -> None:
        from shared.crypto.backend_cryptography import AesBlock

        self._aes = AesBlock
        self._fleet = fleet
        self._keys = keys

    def receive(self, frame: ReceivedFrame) -> TelegramReceived | Refusal:
        """The telegram in a frame, or why there is none; whatever the bytes are.

        The caller makes an accepted telegram durable before it lets the reading be seen.
        """
        try:
            header = parse_header(unframe(frame.data))
        except wire.WireError as error:
            return _refused_frame(frame, error)
        unit = self._fleet.get(header.serial)
        if unit is None or unit.record.manufacturer != header.manufacturer:
            sender = f"{header.manufacturer} {header.serial}"
            return _refusal(events.UnknownUnit, frame, header.serial, f"{sender} is not paired")
        serial = unit.record.serial
        if header.medium != unit.record.medium:
            reason = f"medium {header.medium} where {unit.record.medium} was paired"
            return _refusal(events.WrongMedium, frame, serial, reason)
        if header.mode in (MODE_NONE, MODE_5) and not unit.record.allow_unauthenticated:
            reason = f"security mode {header.mode} proves nothing"
            return _refusal(events.PlaintextDowngrade, frame, serial, reason)
        try:
            message = open_message(self._aes, header, self._keys.get(serial))
        except wire.WireError as error:
            return _refused_message(frame, serial, error)
        try:
            telegram = decode_records(message.records)
        except wire.WireError as error:
            return _refusal(events.MalformedRecord, frame, serial, str(error))
        return self._admit(frame, unit, message, telegram)

    def _admit(
        self, frame: ReceivedFrame, unit: FleetUnit, message: Message, telegram: PulseTelegram
    ) -> TelegramReceived | Refusal:
        serial = unit.record.serial
        if unit.record.allow_unauthenticated:
            newest = unit.newest
            reset_counter = telegram.reset_counter
            boot = reset_counter if newest is None else boot_near(reset_counter, newest.boot)
            key = TelegramKey(boot, telegram.uptime_s)
            refusal = _not_rising(frame, unit, key, telegram.count)
        else:
            assert message.message_counter is not None  # mode 7 has no MAC without it
            judged = unit.window.judge(telegram.reset_counter, message.message_counter)
            key = judged.key
            refusal = _not_fresh(frame, unit, judged)
        if refusal is not None:
            return refusal
        unit.accept(key, telegram.count)
        return TelegramReceived(
            received_utc=frame.received_utc,
            serial=serial,
            boot=key.boot,
            counter=key.counter,
            telegram=telegram,
            is_authentic=message.security == "mode7",
            bearer=frame.bearer,
            delay_max_s=frame.delay_max_s,
            rssi_dbm=frame.rssi_dbm,
        )


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
        kind = events.KeyMissing
    elif isinstance(error, wire.Unsupported):
        kind = events.UnsupportedFrame
    return _refusal(kind, frame, serial, str(error))


def _not_fresh(frame: ReceivedFrame, unit: FleetUnit, judged: Judged) -> Refusal | None:
    freshness, key = judged
    if freshness is Freshness.UNSEEN:
        return None
    reason = f"telegram {key.counter} of boot {key.boot}"
    if freshness is Freshness.SEEN:
        return events.Replayed(
            received_utc=frame.received_utc,
            serial=unit.record.serial,
            bearer=frame.bearer,
            reason=f"{reason} was received before",
            boot=key.boot,
            counter=key.counter,
            delay_max_s=frame.delay_max_s,
        )
    if freshness is Freshness.TOO_OLD:
        reason = f"{reason} is too far behind the newest, or in no order"
        return _refusal(events.TooOld, frame, unit.record.serial, reason)
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
