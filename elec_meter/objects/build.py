"""The directory of a meter, from its configuration."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from elec_meter.access import level_to_change
from elec_meter.config import MAX_DEVICE_IDS, part_from_json
from elec_meter.objects.billing import billing_objects
from elec_meter.objects.calendars import calendar_objects
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.clock import Clock
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.entry import Actions, text_entry
from elec_meter.objects.classes.links import HdlcSetup, OpticalPort, TcpSetup
from elec_meter.objects.classes.push_setup import PushSetup
from elec_meter.objects.classes.register import Register, ScalerUnit
from elec_meter.objects.classes.units import Unit
from elec_meter.objects.collected import collected_objects
from elec_meter.objects.commanding import command_objects
from elec_meter.objects.cost import cost_objects
from elec_meter.objects.data_channels import data_channel_objects
from elec_meter.objects.demand import demand_objects
from elec_meter.objects.directory import Directory
from elec_meter.objects.electricity import (
    ACTIVE,
    ENERGY_CHANNELS,
    PERIOD_ENERGIES,
    EnergySum,
    energy_objects,
    live_objects,
    load_profile_energies,
)
from elec_meter.objects.event_logs import event_objects
from elec_meter.objects.every_channel import every_channel_profile
from elec_meter.objects.gas import gas_objects
from elec_meter.objects.profiles import CLOCK, Column, newest, period_profile
from elec_meter.objects.settings import setting_objects
from elec_meter.objects.sources import Sources
from elec_meter.objects.supply import supply_objects
from elec_meter.objects.switching import switching_objects
from elec_meter.objects.unallocated import unallocated_objects

if TYPE_CHECKING:
    from elec_meter.ledger import ProfileRow

_NAME_LENGTH: Final = 16
_PERIOD_NUMBERS: Final = 1 << 16


def build_directory(sources: Sources) -> Directory:
    """Everything that can be read of a meter."""
    return Directory(_everything(sources), sources.now)


def _everything(sources: Sources) -> list[CosemObject]:
    """All objects, those last that are made of others."""
    status = _status_column(sources)
    objects = list(_objects(sources, status))
    objects += switching_objects(sources, {each.obis: each for each in objects})
    for channel in sources.config.data_channels:
        known = {each.obis: each for each in objects}
        objects += data_channel_objects(sources, channel, status, known)
    objects.append(every_channel_profile(sources, status, {each.obis: each for each in objects}))
    objects.append(PushSetup(sources.config, sources.now, {each.obis: each for each in objects}))
    return objects


def _objects(sources: Sources, status: Column) -> Iterator[CosemObject]:
    yield from _identity(sources)
    yield from _time(sources)
    yield from energy_objects(sources)
    yield from unallocated_objects(sources)
    yield from live_objects(sources)
    yield from supply_objects(sources)
    yield from demand_objects(sources)
    yield from billing_objects(sources)
    yield from cost_objects(sources)
    yield from calendar_objects(sources)
    yield from command_objects(sources)
    yield from setting_objects(sources)
    yield from _lines(sources)
    yield from _load_profiles(sources, status)
    yield from event_objects(sources)
    yield from collected_objects(sources)
    for unit in sources.config.gas_units:
        yield from gas_objects(sources, unit)


def _identity(sources: Sources) -> Iterator[CosemObject]:
    config, now = sources.config, sources.now
    maker = config.flag.manufacturer
    name = f"{maker}{config.serial:0>{_NAME_LENGTH - len(maker)}}"
    yield Data("0-0:42.0.0", "Logical device name", now, lambda _: name)
    yield Data("0-0:96.1.0", "Serial number", now, lambda _: config.serial)
    for number in range(1, MAX_DEVICE_IDS + 1):
        yield _device_id(sources, number)
    yield Data("1-0:0.0.0", "Meter number", now, lambda _: config.serial)
    yield Data("1-0:0.2.0", "Firmware version", now, lambda _: sources.firmware)
    yield Data("0-0:97.97.0", "Errors", now, lambda at: int(sources.faults(at)))


def _device_id(sources: Sources, number: int) -> Data:
    """A further identification; what is written to it is the configuration's."""
    kept = sources.config.device_ids
    given = (*kept, *("",) * (MAX_DEVICE_IDS - len(kept)))

    def write(actions: Actions, text: str) -> None:
        ids = (*given[: number - 1], text, *given[number:])
        while ids and not ids[-1]:
            ids = ids[:-1]
        actions.apply_config(part_from_json(sources.config, "device_ids", json.dumps(ids)))

    return Data(
        f"0-0:96.1.{number}",
        f"Device identification {number + 1}",
        sources.now,
        lambda _: given[number - 1],
        entry=text_entry(write, level_to_change("device_ids")),
    )


def _time(sources: Sources) -> Iterator[CosemObject]:
    now = sources.now
    yield Clock(CLOCK, "Clock", now, sources.time, sources.outstanding_s)
    yield Register(
        "0-0:128.40.0",
        "Clock adjustment that is left",
        now,
        sources.outstanding_s,
        ScalerUnit(0, Unit.SECOND),
    )
    yield Data("0-0:1.1.0", "UNIX clock", now, sources.time_s)

    def time_of_day(at: datetime) -> Scalar:
        time = sources.time(at)
        return None if time is None else time.time()

    def day(at: datetime) -> Scalar:
        time = sources.time(at)
        return None if time is None else time.date()

    yield Data("1-0:0.9.1", "Time, UTC", now, time_of_day)
    yield Data("1-0:0.9.2", "Date, UTC", now, day)


def _lines(sources: Sources) -> Iterator[CosemObject]:
    """The set-up of the meter's lines."""
    flag, now = sources.config.flag, sources.now
    yield OpticalPort(
        "0-0:20.0.0",
        "Optical port",
        now,
        flag.device_address or sources.config.serial,
        is_quick=flag.manufacturer[-1].islower(),
    )
    yield HdlcSetup("0-0:22.0.0", "HDLC", now)
    yield TcpSetup("0-0:25.0.0", "DLMS over TCP", now, sources.dlms_port)


def _status_column(sources: Sources) -> Column:
    status = Data(
        "0-0:96.10.1",
        "Status of the last period",
        sources.now,
        newest(sources, lambda row: int(row.status)),
    )
    return Column(status, lambda row: int(row.status))


def _load_profiles(sources: Sources, status: Column) -> Iterator[CosemObject]:
    """What rows have, each also for the last one; and the profiles that capture it."""
    now = sources.now
    revision = Data(
        "0-0:128.35.0",
        "Amendments of the last period",
        now,
        newest(sources, lambda row: row.revision),
    )
    yield Data("0-0:128.37.0", "Number of the last period", now, newest(sources, _number_of))
    energies = {each: _energy_column(sources, each) for each in PERIOD_ENERGIES}
    indexes = [_index_column(sources, order) for order in range(len(ENERGY_CHANNELS))]
    yield from (status.captured, revision)
    yield from (column.captured for column in (*energies.values(), *indexes))
    captured = [energies[each] for each in load_profile_energies(sources)]
    yield period_profile("1-0:99.1.0", "Load profile", sources, [status, *captured])
    if not sources.config.profile.reactive:
        del indexes[len(ACTIVE) :]
    indexes = [status, Column(revision, lambda row: row.revision), *indexes]
    yield period_profile("1-0:99.1.2", "Load profile, sums", sources, indexes)


def _number_of(row: ProfileRow) -> int:
    """What the compact profile has for a clock: the period's end by its length, in 16 bits."""
    return row.end_s // row.period_s % _PERIOD_NUMBERS


def _energy_column(sources: Sources, energy: EnergySum) -> Column:
    """The energy of a row, which can also be read of the last one."""
    register = Register(
        f"1-0:{energy.c}.29.0",
        f"{energy.title} of the last period",
        sources.now,
        newest(sources, energy.in_row),
        energy.scaler_unit,
    )
    return Column(register, energy.in_row)


def _index_column(sources: Sources, order: int) -> Column:
    """The index of a channel, by its place in the ledger, at the end of a row."""
    channel, modulus = ENERGY_CHANNELS[order], sources.config.modulus_wh
    index = _index(channel.key)
    register = Register(
        f"0-0:128.34.{order}",
        f"{channel.title}: sum of all periods",
        sources.now,
        _reached(sources, index),
        channel.scaler_unit,
        modulus=modulus,
    )
    return Column(register, _rolling(index, modulus), is_index=True)


def _index(key: str) -> Callable[[ProfileRow], int | None]:
    return lambda row: row.indexes.get(key)


def _reached(
    sources: Sources, index: Callable[[ProfileRow], int | None]
) -> Callable[[datetime], int]:
    """Reads the index of the last row; rows that are not there yet hold nothing."""
    last = newest(sources, index)
    return lambda at: last(at) or 0


def _rolling(
    of: Callable[[ProfileRow], int | None], modulus: int
) -> Callable[[ProfileRow], int | None]:
    """The same, as a register that rolls over shows it."""

    def read(row: ProfileRow) -> int | None:
        number = of(row)
        return None if number is None else number % modulus

    return read
