"""Waveforms from files: npz, wav and csv."""

from __future__ import annotations

import csv
import math
import struct
import tokenize
import wave
import zipfile
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from elec_meter.sampling.block import RATE_MAX_HZ, RATE_MIN_HZ, SampleBlock
from elec_meter.sampling.converter import Converter
from elec_meter.sampling.errors import RecordingError, SamplingError
from elec_meter.sampling.source import SampleSource
from shared.timegrid import EPOCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Counts = NDArray[np.int16] | NDArray[np.int32]

# Fewer cannot be measured; a recording of one cycle must be repeated before it is fed in.
_CYCLES_MIN = 3
# A voltage that moves by less than a two-thousandth of full scale is noise on whatever there is.
_DC_SHIFT = 11
# What zipfile, zlib and numpy's reader of headers say of damaged files.
_NPZ_FAULTS = (
    ValueError,
    TypeError,
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class RecordedSource(SampleSource):
    """A recorded waveform, wholly in memory.

    * npz: arrays `voltage` and `current` of one dimension, and `rate_hz`.
    * wav: two channels, voltage then current, 16, 24 or 32 bit; its rate is the sample rate. 32-bit
      samples keep their upper 24 bits.
    * csv: a header `voltage,current`, one sample per line; the rate is given by the caller.

    Whole numbers are counts of `converter`; numbers with a fraction (in an npz: of a floating-point
    type) are volts and amperes, and are rounded to its counts.

    Args:
        path: The file; its suffix says what it is.
        rate_hz: Samples per second, where the file does not say; otherwise it must agree.
        anchor_utc: When the first sample was taken.
        converter: What a count means; by default 24 bits wide, 16 for a file of 16-bit counts.

    Attributes:
        is_in_counts: Whether the file holds counts, not volts and amperes.
        converter: What a count means.

    Raises:
        RecordingError: With one sentence that names the file and what is wrong with it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        rate_hz: int | None = None,
        anchor_utc: datetime = EPOCH,
        converter: Converter | None = None,
    ) -> None:
        self._name = Path(path).name
        voltage, current, told_hz = self._read(Path(path))
        self.rate_hz = self._agreed_rate(rate_hz, told_hz)
        self.anchor_utc = anchor_utc
        real = voltage.dtype.kind == "f" or current.dtype.kind == "f"
        self.is_in_counts = not real
        narrow = max(voltage.dtype.itemsize, current.dtype.itemsize) <= np.dtype(np.int16).itemsize
        self.converter = converter or Converter(bits=16 if narrow and not real else 24)
        volt = 1000 / float(self.converter.voltage_mv_per_count) if real else 1.0
        ampere = 1000 / float(self.converter.current_ma_per_count) if real else 1.0
        self._voltage = self._counts("voltage", voltage, volt)
        self._current = self._counts("current", current, ampere)
        if self._voltage.size != self._current.size:
            raise self._refusal("has more samples of one quantity than of the other")
        if self._voltage.size < _CYCLES_MIN * self.rate_hz // 50:
            raise self._refusal(f"is shorter than {_CYCLES_MIN} cycles of 50 Hz")
        swing = int(self._voltage.max()) - int(self._voltage.min())
        if swing <= self.converter.full_scale_count >> _DC_SHIFT:
            raise self._refusal("is DC: its voltage does not alternate")
        self.end_sample = self._voltage.size

    def block(self, first_sample: int, count: int) -> SampleBlock:
        """The samples `first_sample` to `first_sample + count - 1`."""
        end = first_sample + count
        if not 0 <= first_sample <= end <= self._voltage.size:
            raise SamplingError(
                f"{self._name} has samples 0 to {self._voltage.size - 1}, not {first_sample} to "
                f"{end - 1}"
            )
        return SampleBlock(
            self._voltage[first_sample:end],
            self._current[first_sample:end],
            first_sample,
            self.rate_hz,
            self.anchor_utc,
        )

    @property
    def duration(self) -> timedelta:
        """How long the recording lasts."""
        return timedelta(seconds=self._voltage.size / self.rate_hz)

    def _refusal(self, reason: str) -> RecordingError:
        return RecordingError(f"{self._name} {reason}")

    def _read(self, path: Path) -> tuple[NDArray[Any], NDArray[Any], int | None]:
        readers = {".npz": self._read_npz, ".wav": self._read_wav, ".csv": self._read_csv}
        reader = readers.get(path.suffix.lower())
        if reader is None:
            raise self._refusal("is not an npz, wav or csv file")
        try:
            return reader(path)
        except FileNotFoundError:
            raise self._refusal("does not exist") from None
        except OSError as fault:
            raise self._refusal(f"cannot be read ({fault.strerror or fault})") from fault

    def _read_npz(self, path: Path) -> tuple[NDArray[Any], NDArray[Any], int | None]:
        try:
            with zipfile.ZipFile(path) as members:
                self._require_whole(members)
            with np.load(path, allow_pickle=False) as arrays:
                missing = {"voltage", "current"} - set(arrays)
                if missing:
                    raise self._refusal(f"has no array named {' or '.join(sorted(missing))}")
                rate = arrays.get("rate_hz")
                voltage, current = arrays["voltage"], arrays["current"]
        except RecordingError:
            raise
        except _NPZ_FAULTS as fault:
            raise self._refusal("is not a readable npz file") from fault
        if rate is not None and (rate.size != 1 or rate.dtype.kind not in "iuf"):
            raise self._refusal("has a rate_hz that is not one number")
        return (
            voltage,
            current,
            None if rate is None else self._whole_rate(float(rate.reshape(-1)[0])),
        )

    def _require_whole(self, members: zipfile.ZipFile) -> None:
        """Refuse a header that asks for more memory than its array's bytes in the file fill."""
        for member in members.infolist():
            with members.open(member) as array:
                version = np.lib.format.read_magic(array)
                read = np.lib.format.read_array_header_1_0
                if version != (1, 0):
                    read = np.lib.format.read_array_header_2_0
                shape, _, dtype = read(array)
                if array.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
                    raise self._refusal("is not a readable npz file")

    def _whole_rate(self, rate_hz: float) -> int:
        if not rate_hz.is_integer():
            raise self._refusal(f"has a rate of {rate_hz:g} Hz, which is not a whole number")
        return int(rate_hz)

    def _read_wav(self, path: Path) -> tuple[NDArray[Any], NDArray[Any], int | None]:
        try:
            with wave.open(str(path), "rb") as file:
                channels, width = file.getnchannels(), file.getsampwidth()
                rate_hz, data = file.getframerate(), file.readframes(file.getnframes())
        except (wave.Error, EOFError, RuntimeError) as fault:
            raise self._refusal("is not a readable wav file") from fault
        if channels != 2:
            raise self._refusal(f"has {channels} channels, not two (voltage, current)")
        if width not in (2, 3, 4):
            raise self._refusal(f"has samples of {8 * width} bits, not 16, 24 or 32")
        data = data[: len(data) // (2 * width) * 2 * width]
        if width == 2:
            counts: NDArray[Any] = np.frombuffer(data, "<i2")
        else:
            padded = np.zeros((len(data) // width, 4), np.uint8)
            padded[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
            counts = padded.view("<i4").reshape(-1) >> 8
        return counts[0::2], counts[1::2], rate_hz

    def _read_csv(self, path: Path) -> tuple[NDArray[Any], NDArray[Any], int | None]:
        columns: tuple[list[str], list[str]] = ([], [])
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = csv.DictReader(file, skipinitialspace=True)
                missing = {"voltage", "current"} - set(rows.fieldnames or ())
                if missing:
                    raise self._refusal(f"has no column named {' or '.join(sorted(missing))}")
                for row in rows:
                    columns[0].append(row["voltage"])
                    columns[1].append(row["current"])
        except (UnicodeDecodeError, csv.Error) as fault:
            raise self._refusal("is not a readable csv file") from fault
        voltage, current = (self._numbers(column) for column in columns)
        return voltage, current, None

    def _numbers(self, column: list[str]) -> NDArray[Any]:
        """Whole numbers where all of them are, else floats."""
        numbers = np.empty(len(column))
        whole = True
        for k, text in enumerate(column):
            try:
                numbers[k] = float(text)
            except (TypeError, ValueError):
                raise self._refusal(f"has no number in line {k + 2}") from None
            whole = whole and text.strip().lstrip("+-").isdecimal()
        if whole and numbers.size and np.abs(numbers).max() < 2**31:
            return numbers.astype(np.int32)
        return numbers

    def _agreed_rate(self, given_hz: int | None, told_hz: int | None) -> int:
        rate_hz = told_hz if given_hz is None else given_hz
        if rate_hz is None:
            raise self._refusal("does not say its sample rate")
        if told_hz is not None and told_hz != rate_hz:
            raise self._refusal(f"has a rate of {told_hz} Hz, not {given_hz} Hz")
        if not RATE_MIN_HZ <= rate_hz <= RATE_MAX_HZ:
            raise self._refusal(f"has a rate of {rate_hz} Hz, not 2,000 to 32,000 Hz")
        return rate_hz

    def _counts(self, name: str, values: NDArray[Any], scale: float) -> _Counts:
        if values.ndim != 1:
            raise self._refusal(f"has {values.ndim} dimensions of {name}, not one")
        if values.dtype.kind not in "iuf":
            raise self._refusal(f"has a {name} of {values.dtype}, which is not numbers")
        if values.dtype.kind == "f" or scale != 1.0:
            if not np.isfinite(values).all():
                sample = int(np.argmin(np.isfinite(values)))
                raise self._refusal(f"has a {name} that is not a finite number, at sample {sample}")
            values = np.rint(values * scale)
        full_scale = self.converter.full_scale_count
        if values.size and (values.max() >= full_scale or values.min() < -full_scale):
            raise self._refusal(f"has a {name} beyond the converter's {self.converter.bits} bits")
        return cast("_Counts", np.ascontiguousarray(values, self.converter.dtype))
