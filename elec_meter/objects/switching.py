"""Objects of what the meter switches: contactor, limiter and terminals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from elec_meter.access import Level
from elec_meter.clock import SECOND_US, unix_us
from elec_meter.config.switchgear import SWITCHED_LOAD
from elec_meter.contactor import ControlState
from elec_meter.objects.classes.base import CosemObject
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.disconnect_control import DisconnectControl
from elec_meter.objects.classes.entry import Actions
from elec_meter.objects.classes.limiter import Limiter
from elec_meter.objects.classes.register import Register, ScalerUnit
from elec_meter.objects.classes.script_table import Script, ScriptTable
from elec_meter.objects.classes.units import Unit
from elec_meter.objects.sources import Sources
from shared.obis import Obis

if TYPE_CHECKING:
    from elec_meter.terminals import PulseInput, PulseOutput, Relay

CONTACTOR: Final = "0-0:96.3.10"
_RELAY_MODE: Final = 4
"""A relay is switched on from afar, and nobody's hand is needed."""
_CONTACTOR_SCRIPTS: Final = {
    1: Script("open the contactor", lambda actions: actions.open_contactor()),
    2: Script("arm the contactor", lambda actions: actions.arm_contactor()),
}
PULSES: Final = 10**9
"""A count of pulses begins again here where it is shown."""
_UNITS: Final = {"": Unit.COUNT, "Wh": Unit.WATT_HOUR, "m3": Unit.CUBIC_METRE}


def switching_objects(sources: Sources, known: Mapping[Obis, CosemObject]) -> Iterator[CosemObject]:
    """The contactor, and the limiter where there is what it watches.

    Args:
        sources: where values come from.
        known: objects that may be watched.
    """
    now, switchgear, config = sources.now, sources.switchgear, sources.config
    contactor = switchgear.contactor
    yield DisconnectControl(
        CONTACTOR,
        "Contactor",
        now,
        lambda _: contactor.state,
        config.contactor.mode,
        lambda actions, on: actions.arm_contactor() if on else actions.open_contactor(),
    )
    yield ScriptTable("0-0:10.0.106", "Contactor: scripts", now, _CONTACTOR_SCRIPTS)
    yield Data("0-0:128.60.0", "Contactor: why it is so", now, lambda _: contactor.saved.cause)
    yield Data("0-0:128.60.1", "Contactor: openings", now, lambda _: contactor.saved.openings)
    watched = known.get(Obis.parse(config.limiter.object))
    if isinstance(watched, Register):
        yield Limiter("0-0:17.0.0", "Limiter", now, switchgear.limiter, watched, sources.time_s)
    limiter = switchgear.limiter
    yield Data("0-0:128.60.2", "Limiter: locked out", now, lambda _: int(limiter.saved.is_locked))
    terminals = switchgear.terminals
    outputs = _output_scripts(terminals.relays)
    if outputs:
        yield ScriptTable("0-0:10.0.103", "Relays: scripts", now, outputs)
    for number, relay in terminals.relays.items():
        yield from _relay(sources, number, relay)
    for number, contact in terminals.inputs.items():
        yield from _input(sources, number, contact)
    for number, output in terminals.outputs.items():
        yield _output(sources, number, output)


def pulse_input_of(obis: Obis) -> int | None:
    """The number of the pulse input whose count has this name; None for any other name."""
    counted = Obis.parse(f"0-{obis.b}:128.62.0")
    return obis.b if obis == counted else None


def _relay(sources: Sources, number: int, relay: Relay) -> Iterator[CosemObject]:
    name = "Switched load" if number == SWITCHED_LOAD else f"Terminal {number}: relay"

    def state(_: datetime) -> ControlState:
        return ControlState.CONNECTED if relay.is_on else ControlState.DISCONNECTED

    yield DisconnectControl(
        f"0-{number}:96.3.10",
        name,
        sources.now,
        state,
        _RELAY_MODE,
        lambda actions, on: actions.switch_relay(number, is_on=on),
        lambda actions, minutes: actions.boost_relay(number, minutes),
        level=Level.INSTALLER,
    )
    yield Register(
        f"0-{number}:128.61.0",
        f"{name}, boost that is left",
        sources.now,
        lambda now: -(-relay.boost_us(unix_us(now)) // SECOND_US),
        ScalerUnit(0, Unit.SECOND),
    )


def _output_scripts(numbers: Iterable[int]) -> dict[int, Script]:
    """Off and on of each relay, as the calendars of relays name them."""
    scripts = {}
    for number in numbers:
        for is_on, word in ((False, "off"), (True, "on")):
            scripts[2 * number + is_on] = Script(f"relay {number} {word}", _switch(number, is_on))
    return scripts


def _switch(number: int, is_on: bool) -> Callable[[Actions], None]:
    return lambda actions: actions.switch_relay(number, is_on=is_on)


def _input(sources: Sources, number: int, contact: PulseInput) -> Iterator[CosemObject]:
    """The contact, and what it has counted in the unit of its weight."""
    name, weight = f"Terminal {number}: pulse input", contact.config.weight
    raw, scaler = _raw(weight.as_integer_ratio())
    yield Data(f"0-{number}:96.3.1", name, sources.now, lambda _: int(contact.is_closed))
    yield Register(
        f"0-{number}:128.62.0",
        f"{name}, counted",
        sources.now,
        _weighed(contact, raw),
        ScalerUnit(scaler, _UNITS[contact.config.unit]),
        modulus=PULSES * raw,
    )


def _output(sources: Sources, number: int, output: PulseOutput) -> Data:
    return Data(
        f"0-{number}:96.3.2",
        f"Terminal {number}: pulses sent",
        sources.now,
        lambda _: output.count,
    )


def _weighed(contact: PulseInput, raw: int) -> Callable[[datetime], int]:
    return lambda _: contact.count * raw


def _raw(ratio: tuple[int, int]) -> tuple[int, int]:
    """A decimal number as a whole one and a power of ten, the largest that is not above 1."""
    numerator, denominator = ratio
    scaler = next(-n for n in range(7) if 10**n % denominator == 0)
    return numerator * 10**-scaler // denominator, scaler
