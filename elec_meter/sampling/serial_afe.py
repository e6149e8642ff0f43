"""A microcontroller that samples voltage and current and sends frames on a serial port."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import serial

from elec_meter.sampling.afe_frames import SEQUENCE_MODULUS, FrameDecoder, SampleFrame
from elec_meter.sampling.block import SampleBlock, sample_utc
from elec_meter.sampling.errors import FrameError, SamplingError, SourceLostError
from elec_meter.sampling.source import SampleStream
from shared import serial_port

if TYPE_CHECKING:
    from numpy.typing import NDArray

BAUD = 921_600

_READ_S = 0.1
_READ_MAX = 4_096
# A crystal that is wrong by 50 ppm has gone so far after hours; a slow reader never does.
_ASTRAY = timedelta(seconds=1)
_REASONS = {
    errno.ENOENT: "it does not exist: is the front end plugged in",
    errno.EACCES: "this user may not: join the group dialout",
    errno.EBUSY: "another program uses it",
    errno.EAGAIN: "another program uses it",
}


def _follows(frame: SampleFrame, last: SampleFrame) -> bool:
    step = (frame.sequence - last.sequence) % SEQUENCE_MODULUS
    return step == 1 and frame.first_sample == last.end_sample


def _host_utc() -> datetime:
    return datetime.now(UTC)


class SerialAfe(SampleStream):
    """A serial front end, from its first frame on; a context manager.

    Its first frame is dated by the host's clock, and so are all that follow whenever they have gone
    astray by a second: the front end has a crystal of its own. Frames that were lost leave a gap.
    No sample is given twice: what is known already of a frame that was sent twice, or late, is left
    out. A front end that starts anew, which two of its frames in a row tell, gives a new stream:
    another anchor.

    Args:
        port: A device, or a URL of pyserial.
        baud: Bits a second; without parity, one stop bit.
        silent_s: After so long without a frame, or with old ones alone, it is lost.
        now: The host's UTC.

    Attributes:
        lost_frames: How many numbers of the sequence are missing where samples are.
        damaged_bytes: How many bytes were no frame.

    Raises:
        SourceLostError: The port cannot be opened, or no frame comes.
    """

    def __init__(
        self,
        port: str,
        *,
        baud: int = BAUD,
        silent_s: float = 2.0,
        now: Callable[[], datetime] = _host_utc,
    ) -> None:
        self._name = port
        self._silent_s = silent_s
        self._now = now
        self._decoder = FrameDecoder()
        self._base = self._end = 0
        self.lost_frames = 0
        self.damaged_bytes = 0
        self._port = self._opened(port, baud)
        try:
            self._waiting: SampleFrame | None = self._any_frame(time.monotonic() + silent_s)
        except SourceLostError:
            self.close()
            raise
        self.rate_hz = self._waiting.rate_hz
        self._dtype = self._waiting.voltage.dtype
        self._sequence = self._waiting.sequence - 1
        self._begin_stream([self._waiting])

    def blocks(self, samples: int) -> Iterator[SampleBlock]:
        """Blocks of at most `samples`, shorter before a gap; see `SampleStream.blocks`."""
        if samples < 1:
            raise SamplingError(f"a block has at least one sample, not {samples}")
        voltage = current = np.empty(0, self._dtype)
        while True:
            try:
                frames = self._next_frames()
            except SourceLostError:
                if voltage.size:
                    yield self._block(voltage, current)
                raise
            if frames[0].first_sample != self._end:
                if voltage.size:
                    yield self._block(voltage, current)
                voltage = current = np.empty(0, self._dtype)
                if frames[0].first_sample < self._end:
                    self._begin_stream(frames)
            voltage = np.concatenate((voltage, *(frame.voltage for frame in frames)))
            current = np.concatenate((current, *(frame.current for frame in frames)))
            self._end = frames[-1].end_sample
            self._keep_time()
            while voltage.size >= samples:
                yield self._block(voltage, current, samples)
                voltage, current = voltage[samples:], current[samples:]

    @property
    def bits(self) -> int:
        """Width of its counts: 16 or 24."""
        return 16 if self._dtype == np.int16 else 24

    def close(self) -> None:
        """Give the port back."""
        serial_port.close(self._port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _block(
        self, voltage: NDArray[Any], current: NDArray[Any], samples: int | None = None
    ) -> SampleBlock:
        """The first `samples` of those that end where the last frame did, or all."""
        first = self._end - self._base - voltage.size
        return SampleBlock(
            voltage[:samples], current[:samples], first, self.rate_hz, self.anchor_utc
        )

    def _begin_stream(self, frames: list[SampleFrame]) -> None:
        self._base = self._end = frames[0].first_sample
        self._anchor(frames[-1].end_sample - self._base)

    def _anchor(self, samples: int) -> None:
        """Date sample 0 of the stream, of which so many samples have been taken until now."""
        self.anchor_utc = self._now() - timedelta(microseconds=samples * 10**6 // self.rate_hz)

    def _keep_time(self) -> None:
        taken = self._end - self._base
        if abs(self._now() - sample_utc(self.anchor_utc, taken, self.rate_hz)) > _ASTRAY:
            self._anchor(taken)

    def _next_frames(self) -> list[SampleFrame]:
        """The next frame with new samples, or the first two of a front end that starts anew.

        A frame of samples that are there already was sent twice, or late. Two of them that follow
        each other were not: they are the first of a front end that counts from the beginning again.
        """
        deadline = time.monotonic() + self._silent_s
        late: SampleFrame | None = None
        while True:
            frame, self._waiting = self._waiting or self._any_frame(deadline), None
            self._refuse_another_kind(frame)
            if late is not None and _follows(frame, late) and frame.first_sample < self._end:
                self._sequence = frame.sequence
                return [late, frame]
            if frame.end_sample > self._end:
                return [self._new_part(frame)]
            late = frame

    def _new_part(self, frame: SampleFrame) -> SampleFrame:
        """What of a frame is behind all samples so far; how many frames should be between."""
        known = self._end - frame.first_sample
        if known < 0:
            self.lost_frames += (frame.sequence - self._sequence - 1) % SEQUENCE_MODULUS
        self._sequence = frame.sequence
        if known <= 0:
            return frame
        voltage, current = frame.voltage[known:], frame.current[known:]
        return replace(frame, first_sample=self._end, voltage=voltage, current=current)

    def _refuse_another_kind(self, frame: SampleFrame) -> None:
        if frame.rate_hz != self.rate_hz:
            raise SourceLostError(
                f"the front end on {self._name} now sends {frame.rate_hz} samples a second,"
                f" not {self.rate_hz}"
            )
        if frame.voltage.dtype != self._dtype:
            raise SourceLostError(
                f"the front end on {self._name} now sends counts of another width"
            )

    def _any_frame(self, deadline: float) -> SampleFrame:
        """The next frame, read from the port if need be."""
        while True:
            try:
                frame = self._decoder.next_frame()
            except FrameError as error:
                self.damaged_bytes += error.size
                continue
            if frame is not None:
                return frame
            if time.monotonic() >= deadline:
                raise SourceLostError(
                    f"the front end on {self._name} has sent no frame for {self._silent_s:g} s"
                )
            self._decoder.receive_data(self._read())

    def _read(self) -> bytes:
        """What has come in, as soon as something has; empty after a moment."""
        try:
            return bytes(self._port.read(min(max(1, self._port.in_waiting), _READ_MAX)))
        except (OSError, TypeError) as error:
            raise SourceLostError(f"the front end on {self._name} is lost: {error}") from error

    def _opened(self, port: str, baud: int) -> Any:
        try:
            return serial.serial_for_url(port, baud, timeout=_READ_S, exclusive=True)
        except (OSError, ValueError) as error:
            reason = _REASONS.get(getattr(error, "errno", None) or 0, str(error))
            raise SourceLostError(f"the port {port} cannot be opened: {reason}") from error
