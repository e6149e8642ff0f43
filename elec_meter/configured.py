"""The meter as its configuration makes it: what is in force, and how something else comes to be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared.timegrid import from_unix_s, require_utc, unix_s

from .access import Level, level_to_change
from .alarms import ALARMS_KEY, Alarms
from .assembly import Assembly, check
from .clock import unix_us
from .config import MeterConfig, PassiveTariff
from .errors import ConfigError, NotAllowedError
from .eventlog import StoredEvents
from .events import EventCode, Log
from .led import Led
from .objects import Sources
from .outages import OUTAGES_KEY, Outages
from .plans import PLANS_KEY, CalendarPlans
from .pulse_units import Units, refuse_other_units, units_of
from .switchgear import SWITCHGEAR_KEY, Switchgear, refuse_unopenable, state_by_log
from .terminals import refuse_other_weights
from .version import VERSION

if TYPE_CHECKING:
    from collector import Collector

    from .clock import Clock
    from .display import Display
    from .ledger import Ledger
    from .metrology import Harmonics, Quantities
    from .objects import Directory, UnitReport
    from .storage import Storage

PROGRAM = "the program"
"""Who gives an order when nobody says so: the code that holds the meter."""


class ConfiguredMeter:
    """The parts of a meter, put together as the configuration in force says.

    Attributes:
        config: what is in force.
        config_version: its number in the directory; another one when it has changed.
        storage: where the meter lives.
        clock: what it believes the time is.
        collector: its pulse units.
        ledger: its books.
        switchgear: what it switches, and what it hears through its terminals.
        alarms: what happened since somebody last looked.
        led: flashes with the energy.
        outages: the long ones.
        plans: calendars in force, to come and being written.
        dlms_port: the TCP port on which whoever runs it lets DLMS listen; None for none.
    """

    def __init__(
        self,
        config: MeterConfig,
        storage: Storage,
        now: datetime,
        clock: Clock,
        collector: Collector,
        ledger: Ledger,
    ) -> None:
        self.config = config
        self.storage = storage
        self.clock = clock
        self.collector = collector
        self.ledger = ledger
        self.switchgear = Switchgear(config, _switchgear_state(storage))
        self._are_counts_lost = storage.get_state(SWITCHGEAR_KEY) is None
        self._saved_beside: dict[str, Callable[[], bytes]] = {}
        self._saved_values: dict[str, bytes] = {}
        self.save_beside(SWITCHGEAR_KEY, self.switchgear.packed)
        self.alarms = Alarms(storage.event_totals, storage.get_state(ALARMS_KEY))
        self.save_beside(ALARMS_KEY, self.alarms.packed)
        self.led = Led(config.led)
        self.outages = Outages(storage.get_state(OUTAGES_KEY))
        self.save_beside(OUTAGES_KEY, self.outages.packed)
        self.plans = CalendarPlans(config, storage.get_state(PLANS_KEY))
        self.save_beside(PLANS_KEY, self.plans.packed)
        self.dlms_port: int | None = None
        self.config_version = 0
        self._checks: list[Callable[[MeterConfig], None]] = []
        self._now = now
        self._assembly: Assembly

    @property
    def now(self) -> datetime:
        """The latest instant that it was told."""
        return self._now

    @property
    def objects(self) -> Directory:
        """Everything that can be read; another one when the configuration has changed."""
        return self._assembly.objects

    @property
    def display(self) -> Display:
        """The display; another one when the configuration has changed."""
        return self._assembly.display

    def apply_config(
        self,
        config: MeterConfig,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
        leaving: str | None = None,
    ) -> int:
        """Put a configuration in force, whole or not at all; return its number.

        It is in force, and durable, when this returns; after a power cut it is either the one or
        the other. A change of tariff ends the billing period.

        Args:
            config: the document.
            now: the host's UTC.
            level: of who gives it.
            author: likewise, for the event log.
            leaving: a paired unit that ends with it, so that it may be taken away.

        Raises:
            ConfigError: no meter could work with it, or it takes a paired unit away, or a contactor
                that is open.
            NotAllowedError: the level may not change a part that it changes.
            CheckpointFailedError: it is in force and will be durable when the disk takes it.
        """
        self._advance(now)
        changed = changed_parts(self.config, config)
        if not changed:
            return self.config_version
        for part in changed:
            require_level(level, level_to_change(part), f"change {part}")
        refuse_unworkable(self.config, config, units_of(self.collector, leaving), now)
        for refuse in self._checks:
            refuse(config)
        refuse_unopenable(self.config, config, self.switchgear.contactor.saved)
        refuse_other_weights(config, self.switchgear.terminals.state)
        at_s = self.clock.read_s(now)
        if at_s is not None:
            self._close_through(at_s)
            if config.tariff != self.config.tariff:
                self.ledger.end_billing(at_s, "tariff change")
        if leaving is not None:
            self.collector.end(leaving, None, now)
        self._put_in_force(config, at_s, level, author)
        number = self.config_version
        text = f"configuration {number} was put in force by {author}: {', '.join(changed)}"
        self.storage.record_event(EventCode.CONFIGURATION_CHANGED, text, now)
        passive = config.passive
        if passive is not None and at_s is not None and unix_s(passive.activate) <= at_s:
            self._activate(passive, at_s)  # what is overdue changes nothing before now
        self.checkpoint()
        return number

    def check_with(self, check: Callable[[MeterConfig], None]) -> None:
        """Have what `apply_config` is given looked at by somebody who knows more than the meter.

        Args:
            check: raises a `MeterError` for what cannot work.
        """
        self._checks.append(check)

    def roll_back(
        self,
        number: int,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> int:
        """Put an earlier configuration in force again, as a new one; return its number.

        Raises:
            ConfigError: there is none of this number, or as for `apply_config`.
        """
        config = self.storage.load_config(number)
        if config is None:
            raise ConfigError(f"there is no configuration {number}")
        return self.apply_config(config, now, level=level, author=f"{author}, back to {number}")

    def checkpoint(self) -> None:
        """Make everything durable."""
        raise NotImplementedError

    def save_beside(self, key: str, state: Callable[[], bytes]) -> None:
        """Have `state()` saved under `key` in the same transaction as every checkpoint."""
        self._saved_beside[key] = state

    def unit_report(self, serial: str) -> UnitReport | None:
        """How a pulse unit is."""
        raise NotImplementedError

    def _has_checkpointed(self) -> bool:
        """As `checkpoint`, for who can do without: False while checkpoints fail."""
        raise NotImplementedError

    def _put_beside(self) -> None:
        for key, state in self._saved_beside.items():
            value = state()
            if value != self._saved_values.get(key):
                self.storage.put_state(key, value)
                self._saved_values[key] = value

    def harmonics(self, now: datetime) -> Harmonics | None:
        """The harmonics of some cycles not long ago."""
        raise NotImplementedError

    def _live(self, now: datetime) -> Quantities | None:
        raise NotImplementedError

    def _advance(self, now: datetime) -> None:
        self._now = max(self._now, require_utc(now))
        self.clock.tell(self._now)

    def _close_through(self, at_s: int) -> None:
        """Close what has ended by an instant of the meter's time, a tariff among it, in order."""
        passive = self.config.passive
        if passive is not None and unix_s(passive.activate) <= at_s:
            self._activate(passive, unix_s(passive.activate))
        self.ledger.close_through(at_s)

    def _activate(self, passive: PassiveTariff, at_s: int) -> None:
        self.ledger.close_through(at_s)
        self.ledger.end_billing(at_s, "tariff change")
        config = msgspec.structs.replace(self.config, tariff=passive.tariff, passive=None)
        self._put_in_force(config, at_s, Level.FACTORY, "activation")
        text = f"the passive tariff of {utc_text(passive.activate)} was activated"
        self.storage.record_event(EventCode.TARIFF_ACTIVATED, text, self._now)

    def _put_in_force(
        self, config: MeterConfig, at_s: int | None, level: Level, author: str
    ) -> None:
        self._work_with(config, at_s)
        self.config_version = self.storage.save_config(
            config, unix_s(self._now), author=author, level=level
        )
        self.storage.mark_config_in_force(self.config_version)
        self._assemble()

    def _begin_with(self, config: MeterConfig, at_s: int | None) -> None:
        """Power came: go on as before, or with what was written or given since."""
        self.config_version = self.storage.config_in_force
        if self.config_version and config == self.config:
            self._assemble()
            return
        changed, newest = changed_parts(self.config, config), self.storage.config_number
        if at_s is not None and "tariff" in changed:
            self.ledger.end_billing(at_s, "tariff change")
        if newest == self.config_version or config != self.storage.load_config():
            self._put_in_force(config, at_s, Level.FACTORY, PROGRAM)
        else:
            self._work_with(config, at_s)
            self.config_version = newest
            self.storage.mark_config_in_force(newest)
            self._assemble()
        if changed:
            text = f"configuration {self.config_version} came into force: {', '.join(changed)}"
            self.storage.record_event(EventCode.CONFIGURATION_CHANGED, text, self._now)

    def _work_with(self, config: MeterConfig, at_s: int | None) -> None:
        self.config = config
        self.clock.configure(config.clock)
        self.ledger.configure(config, at_s)
        self.switchgear.configure(config)
        self.led.configure(config.led)
        self.plans.configure(config)

    def _assemble(self) -> None:
        self.switchgear.terminals.advance(unix_us(self._now), self.clock.read_s(self._now))
        sources = Sources(
            config=self.config,
            firmware=VERSION,
            ledger=self.ledger,
            clock=self.clock,
            live=self._live,
            now=lambda: self._now,
            unit=self.unit_report,
            events=StoredEvents(self.storage),
            storage_failed=lambda: self.storage.backlog is not None,
            switchgear=self.switchgear,
            alarms=self.alarms,
            led=self.led,
            outages=self.outages,
            harmonics=self.harmonics,
            plans=self.plans,
            dlms_port=lambda: self.dlms_port,
        )
        self._assembly = Assembly(sources)
        self._recover_counts()
        self.ledger.data_channels.source = self._assembly

    def _recover_counts(self) -> None:
        """Where the counts of pulse inputs are lost, go on from what data channels recorded."""
        if not self._are_counts_lost:
            return
        self._are_counts_lost = False
        for name, totals in self.ledger.data_channels.totals.items():
            found = self._assembly.input_of(name) if self._assembly.records(name) else None
            if found is None:
                continue
            number, raw_per_pulse = found
            count = totals.reading // raw_per_pulse
            contact = self.switchgear.terminals.inputs[number]
            if contact.recover(count):
                text = f"terminal {number} goes on from {count} pulses, as {name} recorded them"
                self.storage.record_event(EventCode.STORAGE_REPAIRED, text, self._now)


def _switchgear_state(storage: Storage) -> bytes | None:
    saved = storage.get_state(SWITCHGEAR_KEY)
    if saved is not None:
        return saved
    return state_by_log(event.code for event in storage.events(log=Log.CONTACTOR))


def refuse_unworkable(
    old: MeterConfig,
    new: MeterConfig,
    units: Units,
    now: datetime,
    written: Collection[str] | None = None,
) -> None:
    """Refuse a configuration that a meter cannot go on with.

    Args:
        old: what is in force.
        new: what is to be.
        units: what there is of pulse units.
        now: the host's UTC.
        written: the parts that are to make sense; None for those that differ.

    Raises:
        ConfigError: no meter could work with it, what it changes makes no sense, or it takes a
            paired unit or a channel's register away.
    """
    check(new, now, changed_parts(old, new) if written is None else written)
    recorded = {each.name: (each.object, each.attribute) for each in old.data_channels}
    for each in new.data_channels:
        here = (each.object, each.attribute)
        if recorded.get(each.name, here) != here:
            raise ConfigError(
                f"data_channels: {each.name} records {recorded[each.name][0]};"
                " another object needs another name"
            )
    refuse_other_units(old, new, units)


def require_level(level: Level, needed: Level, what: str) -> None:
    """Refuse an order from below.

    Raises:
        NotAllowedError: the level is too low.
    """
    if level < needed:
        raise NotAllowedError(f"level {int(level)} may not {what}: that takes level {int(needed)}")


def changed_parts(old: MeterConfig, new: MeterConfig) -> list[str]:
    """Names of the document's first-level parts that differ."""
    names = old.__struct_encode_fields__
    fields = zip(old.__struct_fields__, names, strict=True)
    return [name for field, name in fields if getattr(old, field) != getattr(new, field)]


def utc_text(instant: datetime | None) -> str:
    """An instant of the meter's time for the event log."""
    if instant is None:
        return "unknown"
    return f"{from_unix_s(unix_s(instant)):%Y-%m-%d %H:%M:%S} UTC"
