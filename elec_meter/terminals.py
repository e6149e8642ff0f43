"""The 5 A terminals and the switched load: relays, pulse inputs, pulse outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from shared.wire.debounce import ReedDebouncer

from .config.switchgear import RELAY_ON, SWITCHED_LOAD
from .errors import ConfigError, TerminalError
from .tariff import FOR_EVER_S, Calendar, randomised_offset_s, span_at

if TYPE_CHECKING:
    from .config import MeterConfig, PulseInputConfig, PulseOutputConfig, RelayConfig

_MINUTE_US: Final = 60_000_000
_MILLISECOND_US: Final = 1_000
_PER_KILO: Final = 1_000


class RelayState(msgspec.Struct, array_like=True):
    """What outlasts an outage of a relay.

    Attributes:
        scheduled: what orders, calendar or rate want; the last of it while the time is unknown.
        boost_until_us: the host's time at which a boost ends.
    """

    scheduled: bool = False
    boost_until_us: int = 0


class InputState(msgspec.Struct, array_like=True):
    """What outlasts an outage of a pulse input.

    Attributes:
        count: pulses since ever.
        is_closed: how its contact rested.
        weight: of each of them, with its unit, as they were counted.
    """

    count: int = 0
    is_closed: bool = False
    weight: str = ""


class OutputState(msgspec.Struct, array_like=True):
    """What outlasts an outage of a pulse output.

    Attributes:
        reading: the register when it was last looked at; None before that.
        carried: thousandths of a pulse that wait for the next.
        count: pulses since ever.
    """

    reading: int | None = None
    carried: int = 0
    count: int = 0


class TerminalsState(msgspec.Struct, array_like=True):
    """By number of the terminal; what one was before it became something else is kept."""

    relays: dict[int, RelayState] = {}
    inputs: dict[int, InputState] = {}
    outputs: dict[int, OutputState] = {}


class RegisterReading(NamedTuple):
    """What a register says: a raw number, and where it begins again at 0."""

    number: int | None
    modulus: int


class Relay:
    """One relay.

    Args:
        config: what switches it.
        calendar: whose rates do, late by the meter's own offset; None for orders.
        state: as it was left; changed in place.
    """

    def __init__(self, config: RelayConfig, calendar: Calendar | None, state: RelayState) -> None:
        self.config = config
        self._calendar = calendar
        self._on_rates = config.rates if config.control == "rate" else (RELAY_ON,)
        self._state = state
        self._until_s: int | None = None
        self.is_on = state.scheduled

    def advance(self, now_us: int, time_s: int | None) -> None:
        """Switch, if it is time: by the host's microseconds, and the meter's seconds."""
        self._until_s = None
        if self._calendar is not None and time_s is not None:
            rate, until_s = span_at(self._calendar, time_s)
            self._state.scheduled = rate in self._on_rates
            self._until_s = None if until_s == FOR_EVER_S else until_s
        self.is_on = self._state.scheduled or self.boost_us(now_us) > 0

    def boost_us(self, now_us: int) -> int:
        """What is left of a boost, microseconds."""
        return max(0, self._state.boost_until_us - now_us)

    def switch(self, is_on: bool) -> None:
        """An order: on or off; it ends a boost.

        Raises:
            TerminalError: something else switches it.
        """
        if self.config.control != "manual":
            raise TerminalError(f"this relay follows its {self.config.control}, not orders")
        self._state.scheduled, self._state.boost_until_us = is_on, 0
        self.is_on = is_on

    def boost(self, minutes: int | None, now_us: int) -> int:
        """On for some minutes whatever else it follows; 0 ends a boost. Return the minutes.

        Raises:
            TerminalError: this relay has no boost.
        """
        if not self.config.boost_min:
            raise TerminalError("this relay has no boost")
        minutes = self.config.boost_min if minutes is None else minutes
        self._state.boost_until_us = now_us + minutes * _MINUTE_US
        self.is_on = self._state.scheduled or minutes > 0
        return minutes

    def next_us(self, now_us: int) -> int | None:
        """When a boost ends, the host's time."""
        return self._state.boost_until_us if self.boost_us(now_us) else None

    @property
    def next_s(self) -> int | None:
        """When its calendar may switch, the meter's time."""
        return self._until_s


class PulseInput:
    """A contact that is counted, once for each closing that lasts.

    Args:
        config: what a pulse is.
        state: as it was left: a contact that rests closed since then is not counted again.
    """

    def __init__(self, config: PulseInputConfig, state: InputState) -> None:
        self.config = config
        self._state = state
        self._debouncer = ReedDebouncer(config.debounce_ms, config.debounce_ms, state.is_closed)

    @property
    def count(self) -> int:
        """Pulses since ever."""
        return self._state.count

    @property
    def is_closed(self) -> bool:
        """The contact, without its bounce."""
        return self._state.is_closed

    def recover(self, count: int) -> bool:
        """Go on from what others know of a count that was lost; False where there is one."""
        if self._state.count or not count:
            return False
        self._state.count = count
        return True

    def reconfigure(self, config: PulseInputConfig) -> None:
        """Go on with other times."""
        self.config = config
        self._debouncer.retime(config.debounce_ms, config.debounce_ms)

    def edge(self, is_closed: bool, at_us: int) -> None:
        """The contact closed or opened."""
        self._take(self._debouncer.edge(is_closed, at_us // _MILLISECOND_US))

    def advance(self, now_us: int) -> None:
        """Time passed: what has lasted counts."""
        self._take(self._debouncer.settle(now_us // _MILLISECOND_US))

    def next_us(self) -> int | None:
        """When what is so now will have lasted."""
        due_ms = self._debouncer.next_timer()
        return None if due_ms is None else due_ms * _MILLISECOND_US

    def _take(self, is_pulse: bool) -> None:
        self._state.count += is_pulse
        self._state.is_closed = self._debouncer.closed


class PulseOutput:
    """Pulses that tell what a register advances by.

    Args:
        config: which, and how many.
        state: as it was left: a register that has advanced since then has its pulses still.
    """

    def __init__(self, config: PulseOutputConfig, state: OutputState) -> None:
        self.config = config
        self._state = state
        self._waiting = 0

    @property
    def count(self) -> int:
        """Pulses since ever."""
        return self._state.count

    def advance(self, reading: RegisterReading) -> None:
        """The register says this now."""
        state = self._state
        if reading.number is None:
            return
        if state.reading is not None:
            advance = (reading.number - state.reading) % reading.modulus
            pulses, state.carried = divmod(
                state.carried + advance * self.config.imp_per_kwh, _PER_KILO
            )
            state.count += pulses
            self._waiting += pulses
        state.reading = reading.number

    def take_pulses(self) -> int:
        """How many are to be sent now; they are asked for once, when they are durable."""
        waiting, self._waiting = self._waiting, 0
        return waiting


class Terminals:
    """All of them.

    Args:
        config: what each is.
        state: as they were left; changed in place.

    Attributes:
        relays: by number; the switched load is number 9.
        inputs: by number.
        outputs: by number.
    """

    def __init__(self, config: MeterConfig, state: TerminalsState) -> None:
        self.state = state
        self.relays: dict[int, Relay] = {}
        self.inputs: dict[int, PulseInput] = {}
        self.outputs: dict[int, PulseOutput] = {}
        self.configure(config)

    def configure(self, config: MeterConfig) -> None:
        """Go on with another configuration; what stays what it is goes on without a break.

        Raises:
            ConfigError: as of `refuse_other_weights`; nothing has changed.
        """
        refuse_other_weights(config, self.state)
        state, inputs, outputs = self.state, self.inputs, self.outputs
        self.relays, self.inputs, self.outputs = {}, {}, {}
        for number, relay in _relays(config):
            kept = state.relays.setdefault(number, RelayState())
            self.relays[number] = Relay(relay, _calendar(config, relay), kept)
        for each in config.terminals:
            number = each.number
            if each.pulse_in is not None:
                known, counted = inputs.get(number), state.inputs.setdefault(number, InputState())
                if known is None:
                    known = PulseInput(each.pulse_in, counted)
                counted.weight = _weight(each.pulse_in)
                known.reconfigure(each.pulse_in)
                self.inputs[number] = known
            elif each.pulse_out is not None:
                self.outputs[number] = self._output(number, each.pulse_out, outputs.get(number))
        for number in outputs.keys() - self.outputs.keys():
            state.outputs[number].reading = None  # what it misses from now on is not told later

    def _output(
        self, number: int, config: PulseOutputConfig, known: PulseOutput | None
    ) -> PulseOutput:
        if known is not None and known.config == config:
            return known
        told = self.state.outputs.setdefault(number, OutputState())
        if known is not None:  # another register, or other pulses of it
            told.reading, told.carried = None, 0
        return PulseOutput(config, told)

    def relay(self, number: int) -> Relay:
        """One that is a relay.

        Raises:
            TerminalError: it is none.
        """
        try:
            return self.relays[number]
        except KeyError:
            raise TerminalError(f"terminal {number} is no relay") from None

    def advance(self, now_us: int, time_s: int | None) -> None:
        """Time passed."""
        for relay in self.relays.values():
            relay.advance(now_us, time_s)
        for each in self.inputs.values():
            each.advance(now_us)

    def next_us(self, now_us: int) -> int | None:
        """When `advance` is due by the host's time."""
        due = [relay.next_us(now_us) for relay in self.relays.values()]
        due += [each.next_us() for each in self.inputs.values()]
        return min((each for each in due if each is not None), default=None)

    @property
    def next_s(self) -> int | None:
        """When `advance` is due by the meter's time."""
        due = [relay.next_s for relay in self.relays.values()]
        return min((each for each in due if each is not None), default=None)


def refuse_other_weights(config: MeterConfig, state: TerminalsState) -> None:
    """Refuse to weigh anew what a pulse input has counted: its register would leap, or go back.

    Raises:
        ConfigError: a terminal has counted pulses of another weight or unit.
    """
    for place, each in enumerate(config.terminals):
        counted = state.inputs.get(each.number)
        if each.pulse_in is None or counted is None or not counted.count:
            continue
        if counted.weight != _weight(each.pulse_in):
            raise ConfigError(
                f"terminals[{place}]: terminal {each.number} has counted pulses of"
                f" {counted.weight}; others need another terminal"
            )


def _weight(config: PulseInputConfig) -> str:
    return f"{config.weight.normalize():f} {config.unit or 'pulses'}"


def _relays(config: MeterConfig) -> Iterator[tuple[int, RelayConfig]]:
    for each in config.terminals:
        if each.relay is not None:
            yield each.number, each.relay
    if config.switched_load is not None:
        yield SWITCHED_LOAD, config.switched_load


def _calendar(config: MeterConfig, relay: RelayConfig) -> Calendar | None:
    if relay.control == "manual":
        return None
    wanted = relay.calendar
    if relay.control == "rate":
        wanted = config.tariff.calendar(relay.channel)
    offset_s = randomised_offset_s(config.serial, config.tariff.offset_limit_s)
    return Calendar.from_config(wanted, offset_s)
