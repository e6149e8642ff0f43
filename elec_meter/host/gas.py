"""The edge of pulse units: the meter's own collector, its bearers, and how the meter keeps them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from collector import (
    Event,
    Gathering,
    LogAnswered,
    LogPlace,
    LogRead,
    LogRefused,
    Note,
    ReceivedFrame,
    Refusal,
    StorageFailedError,
    UnitRecord,
    is_settled,
)
from collector.bearers.opening import open_bearers, parse_stick
from elec_meter.errors import CheckpointFailedError
from elec_meter.events import EventCode
from elec_meter.pulse_units import units_of
from shared.wire.errors import WireError

from .base import Edge, Host

if TYPE_CHECKING:
    from collector import Bearer, Keystore
    from elec_meter.meter import Meter
    from elec_meter.runtime import Runtime

_FRAMES_MAX: Final = 20_000
_CHUNK: Final = 100
_RECEIVER: Final = "a receiver under [host.collector]"

_NOTED: Final = {
    "BearerLost": EventCode.BEARER_LOST,
    "BearerFailed": EventCode.BEARER_LOST,
    "BearerWorks": EventCode.BEARER_WORKS,
    "LogRefused": EventCode.UNIT_LOG_REFUSED,
}


class MeterKeeper:
    """Keeps in a meter what bearers bring; see `collector.gathering.Keeper`.

    What the meter has taken waits there for a disk that does not take it, so nothing is received
    twice; it is told, and answered, after the commit. A pairing that is under way on the panel
    hears every frame too.

    Args:
        runtime: of the meter.
        keystore: the keys of its units.
    """

    def __init__(self, runtime: Runtime, keystore: Keystore) -> None:
        self._runtime = runtime
        self._meter = runtime.meter
        self._keystore = keystore
        self._frames: deque[ReceivedFrame] = deque(maxlen=_FRAMES_MAX)
        self._logs: dict[str, tuple[LogAnswered, list[tuple[int, int, int]]]] = {}
        self._events: list[Event] = []
        self._replies: list[tuple[str, bytes]] = []

    @property
    def revision(self) -> int:
        """Rises with every unit that is paired, and with every one that ends."""
        collector = self._meter.collector
        return 2 * len(collector.serials) - len(self.serials)

    @property
    def serials(self) -> Sequence[str]:
        """The paired units."""
        return units_of(self._meter.collector).paired

    @property
    def is_behind(self) -> bool:
        """Whether anything waits to be received, or to be told."""
        return bool(self._frames or self._logs or self._events)

    def reachable(self) -> list[UnitRecord]:
        """The units whose keys are kept."""
        collector = self._meter.collector
        return [collector.unit(serial) for serial in self.serials if self._keystore.get(serial)]

    def hold(self, frames: Iterable[ReceivedFrame]) -> None:
        """Take frames that the next `receive` is to hand to the meter."""
        self._frames.extend(frames)

    def hold_log(self, answer: LogAnswered) -> LogRefused | None:
        """Take what was read of a unit's log; return why not, where it is not authentic."""
        key = self._keystore.get(answer.serial)
        try:
            if key is not None:
                self._logs[answer.serial] = answer, answer.entries(key)
                return None
            reason = "the unit is not paired"
        except WireError as error:
            reason = str(error)
        return LogRefused(
            received_utc=answer.at_utc, serial=answer.serial, bearer=answer.bearer, reason=reason
        )

    def note(self, notes: Iterable[Note]) -> None:
        """Enter in the meter's event log what became of bearers, with the next commit."""
        for note in notes:
            code = _NOTED.get(note.kind)
            if code is not None:
                storage = self._meter.storage
                storage.record_event(code, note.text, note.at, subject=note.serial)

    def receive(self, frames: Iterable[ReceivedFrame], now: datetime) -> list[Event]:
        """Hand what waits to the meter, and commit; return what there is to tell.

        Raises:
            StorageFailedError: it waits in the meter, and is not to be told yet.
        """
        self._frames.extend(frames)
        self._replies.clear()  # what was not sent by now is too late
        for _ in range(min(_CHUNK, len(self._frames))):
            frame = self._frames.popleft()
            at = min(frame.received_utc, now)
            self._events += self._meter.receive_frame(frame, at)
            self._replies += self._runtime.hear(frame, at)
        for serial, (answer, entries) in self._logs.items():
            self._meter.receive_log(serial, entries, now)
            text = f"{len(entries)} entries were read of the log of unit {serial}"
            code = EventCode.UNIT_LOG_READ
            self._meter.storage.record_event(code, text, now, subject=serial)
            self._events.append(
                LogRead(received_utc=now, serial=serial, bearer=answer.bearer, entries=len(entries))
            )
        self._logs.clear()
        # What any neighbour's radio brings is not worth a write of its own.
        if not all(isinstance(event, Refusal) for event in self._events):
            self._commit()
        told, self._events = self._events, []
        return told

    def replies(self, now: datetime) -> list[tuple[str, bytes]]:
        """What to send into the reply windows of what was just received.

        Raises:
            StorageFailedError: none may be sent.
        """
        try:
            meters = self._meter.replies(now)
        except CheckpointFailedError as error:
            raise StorageFailedError(str(error)) from None
        pairings, self._replies = self._replies, []
        return [*meters, *pairings]

    def next_timer(self) -> datetime | None:
        """Never: the meter lets its collector's time pass."""
        return None

    def handle_timer(self, now: datetime) -> list[Event]:
        """Nothing but a commit, where one has failed.

        Raises:
            StorageFailedError: it fails again.
        """
        del now  # the runtime's is the same
        self._commit()
        return []

    def log_gap(self, serial: str) -> LogPlace | None:
        """Behind which place a unit's log should be read; None where that can wait."""
        collector = self._meter.collector
        place = collector.log_gap(serial)
        if place is None or not is_settled(place, collector.state(serial).heard):
            return None
        return place

    def compact(self, serial: str, now: datetime) -> int | None:
        """Let the journal of a unit forget some of what no row needs, with the next commit."""
        return self._meter.collector.compact_some(serial, now)

    def _commit(self) -> None:
        try:
            self._runtime.durable()
        except CheckpointFailedError as error:
            raise StorageFailedError(str(error)) from None


class GasUnits(Edge):
    """Bearers, and the gathering that takes to the meter what they bring."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        config = host.config.collector
        assert config is not None  # the edge is there because its table is
        self._config = config
        self._sticks = [(kind, host.device(port)) for kind, port in map(parse_stick, config.sticks)]
        self._gathering: Gathering | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, runtime: Runtime) -> None:
        """See `Edge.open`; a device that is missing is waited for."""
        keeper = MeterKeeper(runtime, self.host.keystore)
        bearers = self._bearers(units_of(runtime.meter.collector).paired)
        self._gathering = Gathering(keeper, bearers, self._tell, now=runtime.now)
        self._task = asyncio.create_task(self._gathering.gather())

    def step(self, now: datetime) -> None:
        """Tell where nothing is gathered any more: the meter measures on all the same."""
        del now  # it makes no difference
        task = self._task
        if task is not None and task.done():
            self._task = None
            error = task.exception()
            if error is not None:
                self.host.tell(f"pulse units are collected no more until the next start: {error!r}")

    async def stop(self) -> None:
        """See `Edge.stop`."""
        task, self._task = self._task, None
        if task is not None and self._gathering is not None:
            self._gathering.stop()
            await asyncio.gather(task, return_exceptions=True)

    def _bearers(self, serials: Sequence[str]) -> list[Bearer]:
        config = self._config
        return open_bearers(
            self._wake,
            sticks=self._sticks,
            wires=[self.host.device(each) for each in config.wires],
            ble=config.ble,
            replays=[self.host.path(each) for each in config.replays],
            replay_delay_s=config.replay_delay_s,
            serials=serials,
        )

    def _wake(self) -> None:
        if self._gathering is not None:
            self._gathering.wake()

    def _tell(self, row: dict[str, Any]) -> None:
        self.host.tell(row["text"])


def tell_of_units(host: Host, meter: Meter) -> None:
    """Say which gas units will bring nothing as things are: the meter measures without them.

    Args:
        host: this computer.
        meter: powered up.
    """
    paired, ended = units_of(meter.collector)
    for unit in meter.config.gas_units:
        if unit.serial in ended:
            host.tell(f"the gas unit {unit.serial} was unpaired, and none has its place")
        elif unit.serial not in paired:
            how = _how_to_pair(host)
            host.tell(f"the gas unit {unit.serial} is not paired yet: {how}")
        elif host.config.collector is None:
            host.tell(f"the gas unit {unit.serial} is not heard: name {_RECEIVER}")
    channels = {(unit.serial, unit.channel) for unit in meter.config.gas_units}
    for record in map(meter.collector.unit, paired):
        if (record.serial, record.channel) not in channels:
            host.tell(
                f"the unit {record.serial} is paired to {record.channel}, and is no gas unit of"
                " the configuration: its pulses are kept and not booked"
            )


def _how_to_pair(host: Host) -> str:
    before = f"name {_RECEIVER}, then " if host.config.collector is None else ""
    if host.config.panel is not None:
        return f"{before}an installer pairs it on the panel"
    return f"{before}`elec-meter control pair --data {host.data_dir}` pairs it"
