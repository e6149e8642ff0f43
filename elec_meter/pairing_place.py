"""A meter as a place where pulse units are paired: `collector.PairingPlace`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from collector import DialReading, PairingError, PairingOutcome, PairingPlan
from shared.timegrid import iso_utc

from .access import Level
from .config import DisplayScreen, GasUnitConfig, MeterConfig
from .config.schema import MAX_FURTHER_CHANNELS
from .configured import PROGRAM
from .meter import Meter

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

    def plan(self, plan: PairingPlan, *, exchanges: str | None = None) -> PairingPlan:
        """A plan with the units that are paired.

        Raises:
            PairingError: another unit feeds the channel, or a unit is to be exchanged.
        """
        if exchanges is not None:
            raise PairingError(
                "a meter's channel stays with its unit: pair the new unit to a channel of its own"
            )
        _require_name(plan.channel)
        serials = self._meter.collector.serials
        for unit in self._meter.config.gas_units:
            if unit.channel == plan.channel and unit.serial in serials:
                raise PairingError(
                    f"the unit {unit.serial} feeds the channel {plan.channel} already:"
                    " name another channel"
                )
        return replace(plan, taken=serials)

    def commit(
        self,
        outcome: PairingOutcome,
        now: datetime,
        *,
        installer: str = "",
        exchanges: str | None = None,  # noqa: ARG002 - refused by `plan`
    ) -> dict[str, Any]:
        """Configure the channel, pair the unit and take what it has told since, in one commit.

        Raises:
            MeterError: nothing of it was done.
        """
        meter, record = self._meter, outcome.record
        config = with_unit(meter.config, outcome)
        assert outcome.key is not None, "a unit of ours has a key"
        with meter.in_one_commit():
            meter.apply_config(config, now, level=self.level, author=self.author)
            meter.pair(record, outcome.key, now)
            meter.collector.note_commands(outcome)
            for frame in outcome.frames:
                meter.receive_frame(frame, now)
        return {
            "kind": "pairing",
            "made": iso_utc(now),
            "installer": installer,
            "channel": record.channel,
            "serial": record.serial,
            "meter": outcome.meter.meter_serial,
            "mprn": outcome.meter.mprn,
            "dial": str(outcome.meter.dial),
            "count": record.base_count,
        }

    def unpair(
        self,
        serial: str,  # noqa: ARG002 - none is looked at
        now: datetime,  # noqa: ARG002 - none is looked at
        *,
        installer: str = "",  # noqa: ARG002 - none is looked at
        dial: DialReading | None = None,  # noqa: ARG002 - none is looked at
    ) -> dict[str, Any]:
        """Refused: a channel's register is that of its unit, and is not reset.

        Raises:
            PairingError: always.
        """
        raise PairingError("a meter keeps its units: what they counted is in its registers")

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


def with_unit(config: MeterConfig, outcome: PairingOutcome) -> MeterConfig:
    """The configuration with the unit on its channel, and the channel on the display.

    Raises:
        PairingError: all channels are taken.
        ConfigError: such a channel cannot be.
    """
    record, units = outcome.record, list(config.gas_units)
    weight = f"{_decimal(outcome)} l"
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


def _require_name(channel: str) -> None:
    try:
        msgspec.convert({"serial": _ANY_SERIAL, "channel": channel}, GasUnitConfig)
    except msgspec.ValidationError:
        raise PairingError(
            f"a channel cannot be named {channel[:20]!r}: that takes small letters, digits and"
            " underscores, and is none of the mains'"
        ) from None


def _checked(
    config: MeterConfig, units: list[GasUnitConfig], screens: list[DisplayScreen]
) -> MeterConfig:
    display = msgspec.structs.replace(config.display, scroll=tuple(screens))
    return msgspec.structs.replace(config, gas_units=tuple(units), display=display)


def _decimal(outcome: PairingOutcome) -> str:
    """Litres a pulse; every weight that a badge has ends after some decimals."""
    litres = outcome.meter.weight.litres_per_pulse
    decimals = 0
    while (litres * 10**decimals).denominator != 1:
        decimals += 1
    whole = int(litres * 10**decimals)
    if not decimals:
        return str(whole)
    digits = f"{whole:0{decimals + 1}d}"
    return f"{digits[:-decimals]}.{digits[-decimals:]}"
