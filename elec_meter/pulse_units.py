"""The pulse units that there are, and what a configuration must leave to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shared.quoting import quoted

from .config import MeterConfig
from .errors import ConfigError, ControlError

if TYPE_CHECKING:
    from collector import Readings


class Units(NamedTuple):
    """What a configuration has to respect of the pulse units that there are.

    Attributes:
        paired: those that are on their meters.
        ended: those that were, and the channels that their pulses are in.
    """

    paired: Sequence[str] = ()
    ended: Mapping[str, str] = {}


def units_of(readings: Readings, leaving: str | None = None) -> Units:
    """What was collected from, as it is once a unit has left."""
    ended = {
        serial: readings.unit(serial).channel
        for serial in readings.serials
        if serial == leaving or readings.ended_utc(serial) is not None
    }
    return Units([serial for serial in readings.serials if serial not in ended], ended)


def channel_fed_by(serial: str, config: MeterConfig, units: Units) -> str:
    """The channel that a paired unit feeds.

    Raises:
        ControlError: it feeds none, and why.
    """
    channel = next((each.channel for each in config.gas_units if each.serial == serial), None)
    if serial in units.ended:
        raise ControlError(
            f"the unit {serial} was taken off this meter already, and what it counted is in"
            f" {units.ended[serial]}"
        )
    if serial in units.paired and channel is None:
        raise ControlError(
            f"the unit {serial} is paired to this meter, whose configuration has no channel for it"
        )
    if channel is None:
        raise ControlError(f"no unit {quoted(serial)} is paired to a channel of this meter")
    if serial not in units.paired:
        raise ControlError(
            f"the unit {serial} is in the configuration, for {channel}, but was never paired"
        )
    return channel


def refuse_other_units(old: MeterConfig, new: MeterConfig, units: Units) -> None:
    """Refuse a configuration that takes away what counts, or what was counted.

    Args:
        old: what is in force.
        new: what is to be.
        units: what there is of pulse units.

    Raises:
        ConfigError: it takes a paired unit away, or a channel's register, or weighs or numbers it
            anew, or it puts a unit where its pulses would be counted twice, or in half-hours that
            are final.
    """
    before = {(unit.serial, unit.channel) for unit in old.gas_units}
    kept = {(unit.serial, unit.channel) for unit in new.gas_units}
    counted = set(units.ended.values())
    for serial, channel in sorted(before - kept):
        if serial in units.paired:
            raise ConfigError(
                f"gas_units: the unit {serial} is paired to {channel}; it cannot be taken away"
            )
        if channel in counted and channel not in {unit.channel for unit in new.gas_units}:
            raise ConfigError(
                f"gas_units: {channel} has counted pulses; its register cannot be taken away"
            )
    for serial, channel in sorted(kept - before):
        if serial in units.ended:
            raise ConfigError(
                f"gas_units: the unit {serial} was taken off this meter and does not come back"
            )
        if serial in units.paired and channel in counted:
            raise ConfigError(
                f"gas_units: {channel} has counted pulses; an installer pairs the unit that goes on"
            )
    _refuse_other_registers(old, new, counted | {c for s, c in before if s in units.paired})


def _refuse_other_registers(old: MeterConfig, new: MeterConfig, in_use: Collection[str]) -> None:
    """What a channel has counted is billed: its register may not leap, fall or change its name."""
    before = {unit.channel: unit for unit in old.gas_units if unit.channel in in_use}
    for place, unit in enumerate(new.gas_units):
        was = before.get(unit.channel, unit)
        if unit.weight != was.weight:
            raise ConfigError(
                f"gas_units[{place}].pulse_weight: {unit.channel} counts pulses of"
                f" {was.pulse_weight}; its register would leap"
            )
        if unit.number != was.number:
            raise ConfigError(
                f"gas_units[{place}].number: the register of {unit.channel} is that of"
                f" 0-{was.number}:24.2.1"
            )
