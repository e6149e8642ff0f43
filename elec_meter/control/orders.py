"""What becomes of a request: the meter does it, and the reply waits for the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from elec_meter.access import Gate, Level, VerifierError
from elec_meter.clock import Synchronisation
from elec_meter.config import config_to_toml, millipence
from elec_meter.config.shape import plain
from elec_meter.configured import changed_parts, require_level
from elec_meter.errors import (
    CheckpointFailedError,
    ClockError,
    ConfigError,
    ControlError,
    MeterError,
    NotAllowedError,
    StorageLostError,
)
from elec_meter.events import EventCode
from elec_meter.meter import Meter
from elec_meter.storage import Storage
from elec_meter.version import VERSION
from shared.timegrid import iso_utc

from . import requests
from .applied import AppliedOrders

AUTHOR: Final = "control socket"
STATE_KEY: Final = "control orders"

_YEARS: Final = range(2010, 2100)
"""There were no meters of this program before; a clock that was set there would make half-hours of
all the time since.
"""

Reply: TypeAlias = dict[str, Any]

Status: TypeAlias = Callable[[], Reply]
"""What whoever runs the meter knows beside it, such as ports; it commits where it can."""


class Orders:
    """Carries out requests on a running meter.

    An order, its event and its key are one transaction; its reply is given when that is durable.

    Args:
        meter: the meter.
        now: the host's UTC.
        durable: brings the meter up to now and commits.
        status: what is to be told of whoever runs the meter.
        gate: whose passwords an order may change; None where there is none.
        push_now: has what waits for the head end sent at once; None where nothing is pushed.
        pair: takes a step of a pairing, at a level and of an author; None where nothing is paired.
        give_dlms: gives a client of DLMS what an author has for it; None where DLMS has none.

    Raises:
        StorageError: what is kept of earlier orders is damaged.
    """

    def __init__(
        self,
        meter: Meter,
        *,
        now: Callable[[], datetime],
        durable: Callable[[], None],
        status: Status,
        gate: Gate | None = None,
        push_now: Callable[[], None] | None = None,
        pair: Callable[[Reply, Level, str], Reply] | None = None,
        give_dlms: Callable[[str, Mapping[str, str], str], None] | None = None,
    ) -> None:
        self._meter = meter
        self._give_dlms = give_dlms
        self._push_now = push_now
        self._pair = pair
        self._gate = gate
        self._now = now
        self._durable = durable
        self._status = status
        self._applied = AppliedOrders(meter.storage.get_state(STATE_KEY))
        meter.save_beside(STATE_KEY, self._applied.packed)

    def perform(self, request: requests.Request, author: str = AUTHOR) -> Reply:
        """The reply to a request, and who it is of for the event log.

        Raises:
            MeterError: it was refused; nothing of it was done.
            CheckpointFailedError: it was done and will be durable when the disk takes it; of a
                question, that it cannot be answered.
        """
        match request:
            case requests.GetStatus():
                return self._own_status()
            case requests.ShowConfig():
                self._durable()
                config = self._meter.config
                number = self._meter.config_version
                return {"number": number, "toml": config_to_toml(config), "config": plain(config)}
            case requests.ShowHistory():
                self._durable()
                return {"versions": versions(self._meter.storage)}
            case requests.Checkpoint():
                self._durable()
                return {}
            case requests.ShowPasswords():
                return self._passwords()
            case requests.TakePairingStep():
                if self._pair is None:
                    raise ControlError("this meter pairs no units")
                return self._pair(request.step, Level(request.level), author)
        return self._carry_out(request, author)

    def require(self, level: Level, needed: Level, what: str, author: str) -> None:
        """Refuse an author at a level what takes a higher one, before its value is looked at.

        Raises:
            NotAllowedError: the level is too low; that is in the log.
        """
        try:
            require_level(level, needed, what)
        except NotAllowedError as error:
            now = self._now()
            self._meter.handle_timer(now)
            self._log_refusal(None, error, now, author)
            raise

    def _carry_out(self, order: requests.Request, author: str) -> Reply:
        earlier = self._applied.reply(order)
        if earlier is not None:
            with _taken():
                self._durable()
            return earlier | {"repeated": True}
        now = self._now()
        self._meter.handle_timer(now)
        reply: Reply = {}
        is_refused = False
        try:
            is_known = self._meter.clock.read(now) is not None
            with _taken(), self._meter.in_one_commit():
                reply = self._do(order, now, author)
                is_refused = reply.get("outcome") == _OUTCOMES[Synchronisation.REFUSED]
                if not is_refused:
                    self._applied.keep(order, reply)
        except CheckpointFailedError as error:
            if not is_refused or isinstance(error, StorageLostError):
                raise
        except MeterError as error:
            self._log_refusal(order, error, now, author)
            raise
        if is_refused:
            limit_s = self._meter.config.clock.sync_limit_s
            why = f"the time is more than {limit_s} s away" if is_known else "the time is not known"
            raise ClockError(f"{why}; to set it takes level 3")
        return reply

    def _log_refusal(
        self, order: requests.Request | None, error: MeterError, now: datetime, author: str
    ) -> None:
        """What a level may not do; and calendars, which DLMS refuses without a sentence."""
        if isinstance(error, NotAllowedError):
            code, what = EventCode.ORDER_REFUSED, "an order"
        elif isinstance(error, ConfigError) and isinstance(order, requests.CALENDAR):
            code, what = EventCode.CALENDAR_REFUSED, "a calendar"
        else:
            return
        text = f"{what} of {_named(author)} was refused: {error}"
        self._meter.storage.record_event(code, text, now)
        try:
            self._meter.checkpoint()
        except StorageLostError:
            raise
        except CheckpointFailedError:
            pass  # it is refused all the same; the entry waits for the disk

    def _do(self, order: requests.Request, now: datetime, author: str) -> Reply:
        meter, level = self._meter, Level(order.level)
        match order:
            case requests.ApplyConfig():
                config = order.config(meter.config)
                changed = changed_parts(meter.config, config)
                number = meter.apply_config(config, now, level=level, author=author)
                return {"number": number, "changed": changed}
            case requests.RollBack():
                before = meter.config
                number = meter.roll_back(order.number, now, level=level, author=author)
                return {"number": number, "changed": changed_parts(before, meter.config)}
            case requests.WriteCalendar() | requests.WriteSpecialDays():
                self._write_calendar(order, now, author)
                return {}
            case requests.ScheduleCalendar():
                meter.schedule_calendar(order.calendar, order.at, now, level=level, author=author)
                return {}
            case requests.ActivateCalendar():
                meter.activate_calendar(order.calendar, now, level=level, author=author)
                return {}
            case requests.SetClock():
                meter.set_clock(_instant(order.utc), now, level=level, author=author)
                return self._clock(now)
            case requests.AdjustClock():
                meter.adjust_clock(order.by_s, now, level=level, author=author)
                return self._clock(now)
            case requests.SynchroniseClock():
                utc = _instant(order.utc)
                outcome = meter.synchronise_clock(utc, now, level=level, author=author)
                return self._clock(now) | {"outcome": _OUTCOMES[outcome]}
            case requests.EndBilling():
                return {"ended": meter.end_billing(now, level=level, author=author)}
            case requests.ResetDemand():
                maxima = meter.reset_demand(now, level=level, author=author)
                peaks = {name: state.maximum for name, state in maxima.items()}
                return {"ended_w": {name: peak and peak.power_w for name, peak in peaks.items()}}
            case requests.ReceivePrices():
                return self._take_prices(order, now, author)
            case requests.ChangePassword():
                return self._change_password(order, now, author)
            case requests.GiveDlmsCredentials():
                return self._give(order, author)
            case requests.PushNow():
                return self._push(order)
        return self._switch(order, now, author)

    def _switch(self, order: requests.Request, now: datetime, author: str) -> Reply:
        meter, level = self._meter, Level(order.level)
        match order:
            case requests.OpenContactor():
                meter.open_contactor(now, level=level, author=author)
                return self._contactor()
            case requests.ArmContactor():
                meter.arm_contactor(now, level=level, author=author)
                return self._contactor()
            case requests.SwitchRelay():
                meter.switch_relay(order.terminal, order.on, now, level=level, author=author)
                return self._relay(order.terminal)
            case requests.BoostRelay():
                minutes, number = order.minutes, order.terminal
                minutes = meter.boost_relay(number, minutes, now, level=level, author=author)
                return self._relay(number) | {"boost_min": minutes}
            case requests.UnpairUnit():
                channel, pulses = meter.unpair(order.serial, now, level=level, author=author)
                return {"channel": channel, "pulses": pulses}
            case requests.ClearAlarms():
                raised = meter.clear_alarms(now, level=level, author=author)
                return {"cleared": [alarm.name.lower() for alarm in raised if alarm.name]}
        raise ControlError("there is no such order")

    def _write_calendar(
        self,
        order: requests.WriteCalendar | requests.WriteSpecialDays,
        now: datetime,
        author: str,
    ) -> None:
        meter, level, key = self._meter, Level(order.level), order.calendar
        if isinstance(order, requests.WriteSpecialDays):
            meter.write_special_days(key, order.entries, now, level=level, author=author)
        else:
            meter.write_calendar(key, order.field, order.value, now, level=level, author=author)

    def _take_prices(self, order: requests.ReceivePrices, now: datetime, author: str) -> Reply:
        try:
            prices = [millipence(price) for price in order.prices_p_kwh]
        except ValueError as error:
            raise ControlError(f"the prices are refused: {error}") from None
        start, level = _instant(order.start), Level(order.level)
        self._meter.receive_prices(order.channel, start, prices, now, level=level, author=author)
        return {"prices": len(prices)}

    def _contactor(self) -> Reply:
        return {"contactor": self._meter.switchgear.contactor.state.name.lower()}

    def _relay(self, number: int) -> Reply:
        return {"on": self._meter.switchgear.terminals.relay(number).is_on}

    def _change_password(self, order: requests.ChangePassword, now: datetime, author: str) -> Reply:
        gate = self._required_gate()
        try:
            salt, key = bytes.fromhex(order.salt), bytes.fromhex(order.stored_key)
        except ValueError:
            raise VerifierError("salt and key are written in hexadecimal") from None
        level = Level(order.level)
        gate.change_verifier(Level(order.of), salt, key, now, level=level, author=author)
        self._meter.checkpoint()
        return {}

    def _give(self, order: requests.GiveDlmsCredentials, author: str) -> Reply:
        require_level(Level(order.level), Level.SUPPLIER, "give DLMS clients their keys")
        if self._give_dlms is None:
            raise ControlError("this meter is run without DLMS")
        self._give_dlms(order.client, order.given, _named(author))
        return {}

    def _push(self, order: requests.PushNow) -> Reply:
        require_level(Level(order.level), Level.SUPPLIER, "have anything pushed")
        if self._push_now is None or not self._meter.config.push.destination:
            raise ControlError("this meter has no destination to push to")
        self._push_now()
        return {}

    def _passwords(self) -> Reply:
        gate = self._required_gate()
        return {"salt": gate.salt.hex(), "levels": [int(level) for level in gate.levels]}

    def _required_gate(self) -> Gate:
        if self._gate is None:
            raise ControlError("this meter is run without passwords")
        return self._gate

    def _clock(self, now: datetime) -> Reply:
        clock = self._meter.clock
        utc = clock.read(now)
        return {
            "meter_utc": None if utc is None else iso_utc(utc),
            "outstanding_s": clock.outstanding_s(now),
        }

    def _own_status(self) -> Reply:
        beside = self._status()  # it commits: only then may the rest be told
        meter = self._meter
        return {
            "version": VERSION,
            "serial": meter.config.serial,
            **self._clock(meter.now),
            "config_number": meter.config_version,
            **beside,
        }


@contextmanager
def _taken() -> Iterator[None]:
    """Say of an order that its commit failed, not that it did."""
    try:
        yield
    except StorageLostError:
        raise
    except CheckpointFailedError as error:
        raise CheckpointFailedError(
            f"the order is taken, but not durable before the disk takes it: {error}"
        ) from None


def _named(author: str) -> str:
    return f"the {author}" if author == AUTHOR else author


_OUTCOMES: Final = {outcome: outcome.name.lower() for outcome in Synchronisation}


def versions(storage: Storage) -> list[Reply]:
    """The configurations that there were, newest first."""
    in_force = storage.config_in_force
    return [
        {
            "number": each.number,
            "applied": iso_utc(each.applied),
            "author": each.author,
            "level": each.level,
            "in_force": each.number == in_force,
        }
        for each in storage.config_history()
    ]


def _instant(utc: datetime) -> datetime:
    """Whole seconds, in UTC, of a time in which there are meters.

    Raises:
        ControlError: it is outside.
    """
    try:
        instant = utc.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        instant = None
    if instant is None or instant.year not in _YEARS:
        raise ControlError(f"an instant is in {_YEARS.start} to {_YEARS.stop - 1}")
    return instant
