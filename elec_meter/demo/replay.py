"""Recorded input, fed to a meter in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from collector import (
    Fleet,
    FleetUnit,
    Ingest,
    Keystore,
    MemoryKeystore,
    ReceivedFrame,
    TelegramReceived,
    UnitRecord,
)
from elec_meter.calibrated import FrontEnd
from elec_meter.config import demo_config
from elec_meter.errors import RecordingError
from elec_meter.meter import Meter
from elec_meter.storage import LoadSeries, Storage
from shared.timegrid import HALF_HOUR_S, from_unix_ms, from_unix_s, unix_ms, unix_s
from shared.wire.telegram import PulseTelegram

from .gas import RecordedTurns
from .world import UNIT_KEY, UNIT_SERIAL, DemoWorld, pair_demo_unit

if TYPE_CHECKING:
    from elec_meter.metrology import Measurement
    from elec_meter.sampling import SampleBlock
    from elec_meter.sampling.recorded import RecordedSource

Feed: TypeAlias = tuple[datetime, Callable[[], object]]
"""When something has happened, and how the meter is told."""

_STEP: Final = timedelta(minutes=5)
_TAIL: Final = timedelta(hours=1)
"""How long a unit is listened to after its last pulse: several telegrams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is to be replayed, read and checked before the data directory is touched.

    Attributes:
        load: half-hourly energy, imported.
        pulses_ms: when the gas meter turned, UTC ms, rising.
        frames: telegrams, in order of reception.
        waveform: samples, from its anchor on.
    """

    load: LoadSeries | None = None
    pulses_ms: tuple[int, ...] = ()
    frames: tuple[ReceivedFrame, ...] = ()
    waveform: RecordedSource | None = None

    @property
    def begins(self) -> datetime:
        """The first instant of any of it.

        Raises:
            RecordingError: there is nothing.
        """
        firsts = [frame.received_utc for frame in self.frames[:1]]
        firsts += [from_unix_ms(at_ms) for at_ms in self.pulses_ms[:1]]
        if self.waveform is not None:
            firsts.append(self.waveform.anchor_utc)
        if self.load is not None:
            firsts.append(from_unix_s(self.load.start_s))
        if not firsts:
            raise RecordingError("there is nothing to replay")
        return min(firsts)


def replay(
    data_dir: Path,
    recording: Recording,
    start: datetime | None,
    measured: Callable[[Measurement], object] | None = None,
) -> Meter:
    """Feed a recording into a data directory; what lies before `start` is left out.

    Args:
        data_dir: of the meter.
        recording: what is fed.
        start: where it begins; where the recording does, if None.
        measured: told of each block of the waveform.

    Raises:
        MeterError: the directory cannot be used, or it knows a later time already.
    """
    with Storage.open(data_dir) as storage:
        begin = (start or recording.begins).replace(microsecond=0)
        _refuse_the_past(storage, data_dir, begin)
        config = storage.load_config() or demo_config()
        meter = Meter(
            config,
            storage,
            begin,
            keystore=Keystore.open(data_dir),
            front_end=_front_end(recording.waveform),
        )
        feeds = [
            _load_feeds(meter, recording.load, begin),
            _frame_feeds(meter, recording.frames, begin),
            _waveform_feeds(meter, recording.waveform, measured or (lambda _: None)),
            _pulse_feeds(meter, recording.pulses_ms, begin),
        ]
        for at, feed in heapq.merge(*feeds, key=lambda each: each[0]):
            # Told first: no checkpoint may call an instant durable whose input is not booked.
            feed()
            meter.handle_timer(at)
        meter.checkpoint()
        return meter


def _refuse_the_past(storage: Storage, data_dir: Path, begin: datetime) -> None:
    durable_s = storage.load().durable_s
    if durable_s is not None and unix_s(begin) < durable_s:
        raise RecordingError(
            f"{data_dir} holds data up to {from_unix_s(durable_s):%Y-%m-%dT%H:%M:%SZ};"
            " pass that as --start to go on from there"
        )


def _load_feeds(meter: Meter, load: LoadSeries | None, begin: datetime) -> Iterator[Feed]:
    """Each half-hour when it has ended."""
    if load is None:
        return
    for start_s, energy_mj in load.energies_mj():
        start, end = from_unix_s(start_s), from_unix_s(start_s + HALF_HOUR_S)
        if start >= begin:
            yield end, partial(meter.receive_energy, "import", energy_mj, start, end, end)


def _frame_feeds(
    meter: Meter, frames: tuple[ReceivedFrame, ...], begin: datetime
) -> Iterator[Feed]:
    """Each telegram when it was received; the first authentic one pairs the unit if need be."""
    for frame in frames:
        if frame.received_utc >= begin:
            yield frame.received_utc, partial(_receive, meter, frame)


def _receive(meter: Meter, frame: ReceivedFrame) -> None:
    if UNIT_SERIAL not in meter.collector.serials:
        base = _telegram(frame)
        if base is not None:
            pair_demo_unit(meter, base.count, frame.received_utc)
    meter.receive_frame(frame, frame.received_utc)


def _telegram(frame: ReceivedFrame) -> PulseTelegram | None:
    """What the demo's unit says in a frame; None if it is not from it."""
    stranger = UnitRecord(
        serial=UNIT_SERIAL, channel="gas", paired_utc=frame.received_utc, base_count=0
    )
    gate = Ingest(Fleet([FleetUnit(stranger)]), MemoryKeystore({UNIT_SERIAL: UNIT_KEY}))
    outcome = gate.receive(frame)
    return outcome.telegram if isinstance(outcome, TelegramReceived) else None


def _front_end(waveform: RecordedSource | None) -> FrontEnd | None:
    """Counts are those of the meter's own front end, volts and amperes those of a perfect one."""
    if waveform is None:
        return None
    return FrontEnd(waveform.converter, is_ideal=not waveform.is_in_counts)


def _waveform_feeds(
    meter: Meter, waveform: RecordedSource | None, measured: Callable[[Measurement], object]
) -> Iterator[Feed]:
    """A block a second."""
    if waveform is None:
        return
    end = waveform.end_sample or 0
    for first in range(0, end, waveform.rate_hz):
        block = waveform.block(first, min(waveform.rate_hz, end - first))
        yield block.end_utc, partial(_measure, meter, block, measured)


def _measure(meter: Meter, block: SampleBlock, measured: Callable[[Measurement], object]) -> None:
    measured(meter.receive_block(block, block.end_utc))


def _pulse_feeds(meter: Meter, pulses_ms: tuple[int, ...], begin: datetime) -> Iterator[Feed]:
    """The unit's time in steps, until its last pulses have been told."""
    turns = [at_ms for at_ms in pulses_ms if at_ms >= unix_ms(begin)]
    if not turns:
        return
    world = DemoWorld(meter, RecordedTurns(turns), None, seed=0)
    end = from_unix_ms(turns[-1]) + _TAIL
    at = begin
    while at < end:
        at = min(at + _STEP, end)
        yield at, partial(_exhaust, world.advance(at))


def _exhaust(steps: Iterator[datetime]) -> None:
    for _ in steps:
        pass
