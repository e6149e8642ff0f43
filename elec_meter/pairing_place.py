"""A meter as a place where pulse units are paired: `collector.PairingPlace`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from collector import (
    FLOW_MAX_L_H,
    DialReading,
    PairingError,
    PairingOutcome,
    PairingPlan,
    UnitRecord,
    lowest_free_channel,
)
from shared.quoting import quoted
from shared.timegrid import from_unix_s, iso_utc
from shared.units import PulseWeight

from .access import Level
from .config import DisplayScreen, GasUnitConfig, MeterConfig
from .config.schema import MAX_FURTHER_CHANNELS
from .configured import PROGRAM
from .errors import CheckpointFailedError, ControlError, StorageLostError
from .ledger import Ledger
from .meter import Meter
from .pulse_units import units_of

_Result = TypeVar("_Result")
_INDEX_FORMAT: Final = "00000.000"
_MNEMONIC: Final = 8
_ANY_SERIAL: Final = "00000000"


class PairingPlaceOfMeter:
    """Pairs units with a channel of the meter, which is configured where it is not there yet.

    Args:
        meter: the meter.

    Attributes:
        level: of who pairs.
        author: likewise, for the event log.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.level = Level.PUBLIC
        self.author = PROGRAM

    def free_channel(self) -> str:
        """The lowest that no unit feeds now: one that is configured, or else a new one."""
        config, paired = self._meter.config, units_of(self._meter.collector).paired
        for unit in sorted(config.gas_units, key=lambda unit: unit.number):
            if unit.serial not in paired:
                return unit.channel
        taken = {unit.channel for unit in config.gas_units}
        return lowest_free_channel(taken | {each.name for each in config.data_channels})

    def max_flow_l_h(self, exchanges: str | None) -> int:
        """That of the channel whose unit is exchanged, or of a domestic gas meter."""
        units = self._meter.config.gas_units
        flows_l_h = (unit.max_flow_l_h for unit in units if unit.serial == exchanges)
        return next(flows_l_h, FLOW_MAX_L_H)

    def plan(self, plan: PairingPlan, *, exchanges: str | None = None) -> PairingPlan:
        """A plan with what is known of the channel and of the units.

        Raises:
            PairingError: another unit feeds the channel, the one to exchange feeds none, or the
                unit need not prove what it says.
        """
        meter = self._meter
        if plan.allow_unauthenticated:
            raise PairingError(
                "a meter bills by its units, so one whose telegrams are not authenticated is not"
                " paired: give its key"
            )
        paired, ended = units_of(meter.collector)
        channels = {unit.serial: unit.channel for unit in meter.config.gas_units}
        if exchanges is not None:
            try:
                plan = replace(plan, channel=meter.channel_fed_by(exchanges))
            except ControlError as error:
                raise PairingError(str(error)) from None
        _require_name(plan.channel)
        for serial, channel in channels.items():
            if channel == plan.channel and serial in paired and serial != exchanges:
                raise PairingError(
                    f"the unit {serial} feeds the channel {channel} already:"
                    " exchange it, or name another channel"
                )
        weight = None
        if exchanges is not None or plan.channel in ended.values():
            weight = _weight(meter.config, plan.channel)
        return replace(plan, taken=paired, ended=ended, weight=weight)

    def commit(
        self,
        outcome: PairingOutcome,
        now: datetime,
        *,
        installer: str = "",
        exchanges: str | None = None,
    ) -> dict[str, Any]:
        """Configure the channel, pair the unit and take what it has told since, in one commit.

        A unit that it replaces ends in the same commit, and the channel's register goes on. Where
        the disk does not take it, it holds all the same and the next checkpoint tries again:
        whoever replies makes everything durable first.

        Raises:
            StorageLostError: it will never be durable.
            MeterError: nothing of it was done.
            PairingError: nor where what was planned cannot be any more.
            KeystoreError: nor where the key could not be kept.
        """
        meter, key = self._meter, outcome.key
        assert key is not None, "plan refuses a unit without a key"
        plan = self.plan(PairingPlan(channel=outcome.record.channel), exchanges=exchanges)
        plan.refuse_other_weight(outcome.meter.weight)
        record = _after_what_is_final(meter.ledger, outcome.record)
        config = with_unit(meter.config, outcome)
        meter.collector.keep_key(record.serial, key)
        with _holding(), meter.in_one_commit():
            meter.apply_config(config, now, level=self.level, author=self.author, leaving=exchanges)
            meter.pair(record, key, now, replaces=exchanges)
            meter.collector.note_commands(outcome)
            for frame in outcome.frames:
                meter.receive_frame(frame, now)
        return {
            "kind": "pairing" if exchanges is None else "exchange",
            "made": iso_utc(now),
            "installer": installer,
            "channel": record.channel,
            "serial": record.serial,
            "meter": outcome.meter.meter_serial,
            "mprn": outcome.meter.mprn,
            "dial": str(outcome.meter.dial),
            "count": record.base_count,
            "replaces": exchanges,
        }

    def unpair(
        self, serial: str, now: datetime, *, installer: str = "", dial: DialReading | None = None
    ) -> dict[str, Any]:
        """End what a unit feeds; what was counted stays in the channel's register.

        Where the disk does not take it, as of `commit`.

        Raises:
            StorageLostError: it will never be durable.
            MeterError: nothing has changed.
        """
        meter = self._meter
        with _holding(), meter.in_one_commit():
            channel, pulses = meter.unpair(serial, now, level=self.level, author=self.author)
        return {
            "kind": "unpairing",
            "made": iso_utc(now),
            "installer": installer,
            "channel": channel,
            "serial": serial,
            "dial": None if dial is None else str(dial),
            "pulses": pulses,
        }

    def keep(
        self,
        change: Callable[..., _Result],  # noqa: ARG002 - none is looked at
        now: datetime,  # noqa: ARG002 - none is looked at
    ) -> _Result:
        """Refused: a meter keeps calorific values nowhere.

        Raises:
            PairingError: always.
        """
        raise PairingError("a meter keeps nothing beside its units")


@contextmanager
def _holding() -> Iterator[None]:
    """Go on where a commit fails: what was to be durable with it is in the meter."""
    try:
        yield
    except StorageLostError:
        raise
    except CheckpointFailedError:
        pass


def with_unit(config: MeterConfig, outcome: PairingOutcome) -> MeterConfig:
    """The configuration with the unit on its channel, and the channel on the display.

    Raises:
        PairingError: all channels are taken.
        ConfigError: such a channel cannot be.
    """
    record, units = outcome.record, list(config.gas_units)
    weight = str(outcome.meter.weight)
    known = next((unit for unit in units if unit.channel == record.channel), None)
    if known is not None:
        changed = msgspec.structs.replace(
            known, serial=record.serial, pulse_weight=weight, max_flow_l_h=record.max_flow_l_h
        )
        units[units.index(known)] = changed
        return _checked(config, units, list(config.display.scroll))
    taken = {unit.number for unit in units} | {each.number for each in config.data_channels}
    free = [number for number in range(1, MAX_FURTHER_CHANNELS + 1) if number not in taken]
    if not free:
        raise PairingError("all channels of the meter are taken")
    units.append(
        GasUnitConfig(
            serial=record.serial,
            channel=record.channel,
            number=free[0],
            pulse_weight=weight,
            max_flow_l_h=record.max_flow_l_h,
        )
    )
    screens = list(config.display.scroll)
    if screens:
        name = record.channel.upper().replace("_", " ")[:_MNEMONIC]
        index = f"0-{free[0]}:24.2.1"
        screens.append(DisplayScreen(object=index, mnemonic=name, format=_INDEX_FORMAT, unit="m3"))
    return _checked(config, units, screens)


def _weight(config: MeterConfig, channel: str) -> PulseWeight | None:
    return next((unit.weight for unit in config.gas_units if unit.channel == channel), None)


def _after_what_is_final(ledger: Ledger, record: UnitRecord) -> UnitRecord:
    """The pairing, with its pulses in half-hours of the channel that are not final yet."""
    for channel in ledger.pulse_channels:
        through_s = channel.final_through_s
        if channel.name == record.channel and through_s is not None:
            return replace(record, paired_utc=max(record.paired_utc, from_unix_s(through_s)))
    return record


def _require_name(channel: str) -> None:
    try:
        msgspec.convert({"serial": _ANY_SERIAL, "channel": channel}, GasUnitConfig)
    except msgspec.ValidationError:
        raise PairingError(
            f"a channel cannot be named {quoted(channel)}: that takes small letters, digits and"
            " underscores, and is none of the mains'"
        ) from None


def _checked(
    config: MeterConfig, units: list[GasUnitConfig], screens: list[DisplayScreen]
) -> MeterConfig:
    display = msgspec.structs.replace(config.display, scroll=tuple(screens))
    return msgspec.structs.replace(config, gas_units=tuple(units), display=display)
