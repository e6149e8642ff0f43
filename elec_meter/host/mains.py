"""The edge of the mains: a thread that samples and measures, and what is done where it cannot."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from collector import BackOff
from elec_meter.calibrated import FrontEnd, MeteringPipeline
from elec_meter.errors import MeterError
from elec_meter.events import EventCode
from elec_meter.sampling import (
    ConstantLoad,
    Converter,
    RecordedSource,
    SampleSource,
    SerialAfe,
    SyntheticMains,
)

from .base import Edge, Host

if TYPE_CHECKING:
    from elec_meter.metrology import Measurement
    from elec_meter.runtime import Runtime
    from elec_meter.sampling import SampleBlock

_BLOCKS_A_SECOND: Final = 4
_SILENCE: Final = timedelta(seconds=5)
_FIRST: Final = timedelta(minutes=1)
"""A computer that has just begun is given so long: a front end that says nothing ends sooner."""

_JOIN_S: Final = 10.0
_BEHIND: Final = timedelta(seconds=5)
"""So late a source that this computer paces begins anew: it slept."""

_SEED: Final = 1


class SwitchedMains(SampleSource):
    """A house that does not exist, behind a contactor: while that is open nothing flows.

    Args:
        anchor_utc: when sample 0 is taken; a whole second.
        watts: what the house draws; below 0 it exports.
        is_fed: whether the contactor is closed, asked for each block.
    """

    def __init__(self, anchor_utc: datetime, watts: float, *, is_fed: Callable[[], bool]) -> None:
        self.anchor_utc = anchor_utc
        self._fed, self._idle = (
            SyntheticMains(seed=_SEED, anchor_utc=anchor_utc, load=ConstantLoad(each))
            for each in (watts, 0.0)
        )
        self._is_fed = is_fed
        self.rate_hz = self._fed.rate_hz

    def block(self, first_sample: int, count: int) -> SampleBlock:
        """See `SampleSource.block`; the voltage is the same either way."""
        mains = self._fed if self._is_fed() else self._idle
        return mains.block(first_sample, count)


class Mains(Edge):
    """Samples are taken and measured in a thread; the loop gets whole millijoules.

    Where nothing is measured the meter keeps its time, and the half-hours say that their data are
    not valid. A front end that is gone is tried again with growing pauses.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        config = host.config.mains
        # Loaded before power comes to the meter: numba takes a while.
        from elec_meter.metrology import Metrology  # noqa: F401 - for what it loads

        self._config = config
        self._name = f"the front end on {config.port}" if config.port else "the source of samples"
        self._back_off = BackOff()
        self._pipeline: MeteringPipeline
        self._other_bits: tuple[int, int] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._runtime: Runtime
        self._loop: asyncio.AbstractEventLoop
        self._measured_to: datetime
        self._is_lost = self._has_begun = False
        self._is_fed = True
        self._told: str | None = None
        if config.recording is not None:
            self._recording(host.now())  # one that cannot be read is refused before the start

    async def open(self, runtime: Runtime) -> None:
        """See `Edge.open`; a front end that is missing is waited for."""
        self._runtime, self._loop = runtime, asyncio.get_running_loop()
        self._measured_to, self._pipeline = runtime.now(), runtime.meter.pipeline
        if runtime.meter.config.calibration is None:
            self.host.tell("the meter has no calibration: its front end is taken as drawn")
        self._thread = threading.Thread(target=self._sample, name="sampling", daemon=True)
        self._thread.start()

    def step(self, now: datetime) -> None:
        """Mark what is not measured, while it is not."""
        self._is_fed = self._runtime.meter.switchgear.contactor.is_closed
        patience = _SILENCE if self._has_begun else _FIRST
        if self._is_lost or now - self._measured_to > patience:
            self._runtime.meter.miss_samples(self._measured_to, now)
            self._measured_to = now
            self._lose(f"{self._name} gives nothing", now)

    async def stop(self) -> None:
        """See `Edge.stop`."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.join, _JOIN_S)

    def _measure(self, measurement: Measurement, front_end: FrontEnd) -> None:
        now = self._runtime.now()
        self._compare(front_end)
        begin = max(self._measured_to, min(now, measurement.start_utc))
        if self._is_lost or begin - self._measured_to > _SILENCE:
            self._runtime.meter.miss_samples(self._measured_to, begin)
        if self._is_lost:
            self._is_lost, self._told = False, None
            self._event(EventCode.MEASUREMENT_RESUMED, f"{self._name} works again", now)
        self._has_begun = True
        self._runtime.meter.receive_measurement(measurement, now)
        self._measured_to = max(self._measured_to, min(now, measurement.end_utc))

    def _compare(self, front_end: FrontEnd) -> None:
        """Tell once of a calibration that is not that of the counts that come."""
        stored, converter = self._runtime.meter.config.calibration, front_end.converter
        bits = None
        if stored is not None and converter is not None and not front_end.is_ideal:
            bits = (stored.bits, converter.bits) if stored.bits != converter.bits else None
        if bits is not None and bits != self._other_bits:
            self.host.tell(
                f"the calibration is for counts of {bits[0]} bits, and {self._name} gives"
                f" {bits[1]}: it is taken as drawn"
            )
        self._other_bits = bits

    def _lose(self, sentence: str, now: datetime) -> None:
        if not self._is_lost:
            self._is_lost, self._told = True, sentence
            self._event(EventCode.MEASUREMENT_LOST, sentence, now)

    def _complain(self, sentence: str) -> None:
        """The source cannot be used: each sentence is told once while it stays the same."""
        if self._is_lost and sentence != self._told:
            self._told = sentence
            self.host.tell(sentence)
        self._lose(sentence, self._runtime.now())

    def _event(self, code: EventCode, sentence: str, now: datetime) -> None:
        self._runtime.meter.storage.record_event(code, sentence, now)
        self.host.tell(sentence)

    def _sample(self) -> None:
        """The thread."""
        pause_s, pipeline = self._back_off.first_s, self._pipeline
        while not self._stop.is_set():
            begun_s = time.monotonic()
            try:
                with closing(self._blocks()) as blocks:
                    for block in blocks:
                        measurement, front_end = pipeline.process(block), pipeline.front_end
                        self._hand_over(partial(self._measure, measurement, front_end))
                        if self._stop.is_set():
                            return
                continue  # a recording has come to its end, and begins again
            except MeterError as error:
                self._hand_over(partial(self._complain, str(error)))
            if time.monotonic() - begun_s > self._back_off.stable_s:
                pause_s = self._back_off.first_s
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, self._back_off.most_s)

    def _hand_over(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(what)

    def _blocks(self) -> Generator[SampleBlock]:
        config = self._config
        if config.port is None:
            source = self._source()
            yield from self._paced(source)
            return
        with SerialAfe(
            self.host.device(config.port),
            baud=config.baud,
            silent_s=config.silent_s,
            now=self.host.now,
        ) as front_end:
            self._pipeline.front_end = FrontEnd(Converter(bits=front_end.bits))
            yield from front_end.blocks(front_end.rate_hz // _BLOCKS_A_SECOND)

    def _source(self) -> SampleSource:
        """A recording from now on, or a house that does not exist."""
        now = self.host.now()
        if self._config.recording is not None:
            recording = self._recording(now)
            is_ideal = not recording.is_in_counts
            self._pipeline.front_end = FrontEnd(recording.converter, is_ideal=is_ideal)
            return recording
        self._pipeline.front_end = FrontEnd(Converter())
        begin = now.replace(microsecond=0) + timedelta(seconds=1)
        watts = float(self._config.synthetic_w or 0)
        return SwitchedMains(begin, watts, is_fed=lambda: self._is_fed)

    def _recording(self, begin: datetime) -> RecordedSource:
        config = self._config
        assert config.recording is not None  # only then is it asked for
        path = self.host.path(config.recording)
        converter = None if config.bits is None else Converter(bits=config.bits)
        return RecordedSource(path, rate_hz=config.rate_hz, anchor_utc=begin, converter=converter)

    def _paced(self, source: SampleSource) -> Iterator[SampleBlock]:
        """Each block when its time has come; an end where this computer has slept meanwhile."""
        for block in source.blocks(source.rate_hz // _BLOCKS_A_SECOND):
            late = self.host.now() - block.end_utc
            if late > _BEHIND or self._stop.wait(max(0.0, -late.total_seconds())):
                return
            yield block
