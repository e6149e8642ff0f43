"""Directory and display of a meter, from what its values are computed from."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from shared.obis import Obis

from .access import Level
from .clock import Clock
from .config import (
    MeterConfig,
    addon_readout,
    automatic_screens,
    automatic_service_screens,
    check_config,
    flag_in_force,
    refuse_senseless,
)
from .display import Display
from .errors import ConfigError
from .flag.readout import Readout
from .ledger import Books, Reading
from .objects import (
    PULSES,
    PUSHED_ROWS,
    Directory,
    ObjectsError,
    ProfileGeneric,
    Register,
    ScalerUnit,
    Sources,
    Unit,
    build_directory,
    pulse_input_of,
    pushed_by,
)
from .terminals import RegisterReading

_VALUE: Final = 2
_ENERGY: Final = (ScalerUnit(0, Unit.WATT_HOUR), ScalerUnit(0, Unit.VAR_HOUR))


class Assembly:
    """What can be read of a meter, and what its display and data channels make of it.

    Raises:
        ConfigError: the configuration names what the meter does not have.
    """

    def __init__(self, sources: Sources) -> None:
        config = sources.config
        self.objects: Directory = build_directory(sources)
        self.display = Display(
            config.display,
            self.objects,
            automatic_screens(config),
            automatic_service_screens(config),
        )
        self._now = sources.now
        self._limited = _register("limiter.object", config.limiter.object, self.objects)
        self._told = {
            each.number: _energy(f"terminals[{place}]", each.pulse_out.object, self.objects)
            for place, each in enumerate(config.terminals)
            if each.pulse_out is not None
        }
        self._recorded = {each.name: (each.object, each.attribute) for each in config.data_channels}
        for number, each in enumerate(config.data_channels):
            self._refuse_unreadable(f"data_channels[{number}]", each.object, each.attribute)
        for number, (obis, attribute) in enumerate(pushed_by(config)):
            self._refuse_unpushable(f"push.objects[{number}]", obis, attribute)

    def read(self, channel: str) -> Reading:
        """What a data channel's object says now."""
        code, attribute = self._recorded[channel]
        source = self.objects[code]
        value = source.read(attribute, self._now())
        number = value if isinstance(value, int) else None
        if isinstance(source, Register) and attribute == _VALUE:
            return Reading(number, source.modulus)
        return Reading(number, None)

    def records(self, channel: str) -> bool:
        """Whether there is a data channel of this name."""
        return channel in self._recorded

    def input_of(self, channel: str) -> tuple[int, int] | None:
        """The pulse input that a data channel records, and what a pulse is in raw numbers."""
        source = self.objects[self._recorded[channel][0]]
        number = pulse_input_of(source.obis)
        if number is None or not isinstance(source, Register) or source.modulus is None:
            return None
        return number, source.modulus // PULSES

    def limited(self) -> int | None:
        """What the limiter watches, as a raw number; None when it is not known."""
        return self._limited.raw_at(self._now())

    @property
    def is_total_limited(self) -> bool:
        """Whether the limiter watches a register that only rises."""
        return self._limited.modulus is not None

    def told(self, number: int) -> RegisterReading:
        """What the register of a pulse output says now."""
        register, modulus = self._told[number]
        return RegisterReading(register.raw_at(self._now()), modulus)

    def _refuse_unreadable(self, path: str, code: str, attribute: int) -> None:
        try:
            source = self.objects[code]
        except ObjectsError as error:
            raise ConfigError(f"{path}: {error}") from None
        if isinstance(source, ProfileGeneric) or attribute not in source.attributes:
            raise ConfigError(f"{path}: attribute {attribute} of {code} is no number to record")

    def _refuse_unpushable(self, path: str, obis: Obis, attribute: int) -> None:
        try:
            source = self.objects[obis]
        except ObjectsError as error:
            raise ConfigError(f"{path}: {error}") from None
        if attribute not in source.attributes:
            raise ConfigError(f"{path}: there is no attribute {attribute} of {obis}")
        if isinstance(source, ProfileGeneric) and attribute == _VALUE and obis != PUSHED_ROWS:
            raise ConfigError(f"{path}: rows of {obis} are not pushed, only those of {PUSHED_ROWS}")


def _register(path: str, code: str, objects: Directory) -> Register:
    try:
        source = objects[code]
    except ObjectsError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(source, Register):
        raise ConfigError(f"{path}: {code} is no register")
    return source


def _energy(path: str, code: str, objects: Directory) -> tuple[Register, int]:
    source = _register(path, code, objects)
    if source.modulus is None or source.scaler_unit not in _ENERGY:
        raise ConfigError(f"{path}: {code} is no register of energy to tell with pulses")
    return source, source.modulus


def check(config: MeterConfig, now: datetime, changed: Collection[str] = ()) -> None:
    """Refuse a configuration that is a valid document and no meter could work with.

    That goes for what the activation of a passive tariff makes of it, too.

    Args:
        config: the document.
        now: the host's UTC.
        changed: the parts that somebody has written, which are to make sense as well.

    Raises:
        ConfigError: it names objects that there are not, its display hides a billing register, or
            what was written makes no sense.
    """
    check_config(config)
    assembly = _try_out(config, now)
    refuse_senseless(config, changed)
    is_limited = config.limiter.threshold or config.limiter.emergency
    if "limiter" in changed and is_limited and assembly.is_total_limited:
        raise ConfigError(
            f"limiter.object: {config.limiter.object} is a total, which no house keeps within"
        )
    if config.passive is not None:
        try:
            _try_out(replace(config, tariff=config.passive.tariff, passive=None), now)
        except ConfigError as error:
            raise ConfigError(f"once the passive tariff is active, {error}") from None


def _try_out(config: MeterConfig, now: datetime) -> Assembly:
    clock = Clock(config.clock)
    books = Books(config, clock=clock)
    assembly = Assembly(Sources.as_built(config, books, clock, lambda: now))
    objects = assembly.objects
    Readout(objects, flag_in_force(config).readout, lambda: None)
    for addon in config.addons:
        Readout(objects, addon_readout(config, addon), lambda: None, Level.READER)
    return assembly
