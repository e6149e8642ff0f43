"""Waveforms from files: npz, wav and csv."""

from __future__ import annotations

import csv
import math
import struct
import tokenize
import zipfile
import zlib
from array import array
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from elec_meter.sampling.block import RATE_MAX_HZ, RATE_MIN_HZ, SampleBlock
from elec_meter.sampling.converter import Converter
from elec_meter.sampling.errors import RecordingError, SamplingError
from elec_meter.sampling.riff import RiffError, parse_wav
from elec_meter.sampling.source import SampleSource
from shared.timegrid import EPOCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Counts = NDArray[np.int16] | NDArray[np.int32]

# Fewer cannot be measured; a recording of one cycle must be repeated before it is fed in.
_CYCLES_MIN = 3
# A voltage that moves by less than a two-thousandth of full scale is noise on whatever there is.
_DC_SHIFT = 11
# Unpacked, of one array: 37 hours of 16-bit counts at 4 kHz.
_ARRAY_BYTES_MAX = 1 << 30
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

    * npz: arrays `voltage` and `current` of one dimension and at most 1 GiB each, and `rate_hz`.
    * wav: two channels of linear PCM, voltage then current, 16, 24 or 32 bit; its rate is that of
      the samples. 32-bit samples keep their upper 24 bits.
    * csv: a header `voltage,current`, one sample per line, decimal points; the rate is given by the
      caller.

    Whole numbers (in a csv: 12 and 12.0 alike) are counts of `converter`; if any number has a
    fraction (in an npz: is of a floating-point type), all are volts and amperes, and are rounded to
    its counts.

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
        given_hz = None if rate_hz is None else self._whole_rate(float(rate_hz))
        voltage, current, told_hz = self._read(Path(path))
        self.rate_hz = self._agreed_rate(given_hz, told_hz)
        self.anchor_utc = anchor_utc
        self._refuse_infinite(voltage, current)
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
            if member.file_size > _ARRAY_BYTES_MAX:
                raise self._refusal(
                    f"unpacks to {member.file_size / 2**30:.1f} GiB of {Path(member.filename).stem}"
                    f", more than {_ARRAY_BYTES_MAX >> 30} GiB"
                )
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
            channels, width, rate_hz, data = parse_wav(path.read_bytes())
        except RiffError as fault:
            raise self._refusal(str(fault)) from fault
        if channels != 2:
            raise self._refusal(f"has {channels} channels, not two (voltage, current)")
        if width not in (2, 3, 4):
            raise self._refusal(f"has samples of {8 * width} bits, not 16, 24 or 32")
        if width == 2:
            counts: NDArray[Any] = np.frombuffer(data, "<i2")
        else:
            padded = np.zeros((len(data) // width, 4), np.uint8)
            padded[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
            counts = padded.view("<i4").reshape(-1) >> 8
        return counts[0::2], counts[1::2], rate_hz

    def _read_csv(self, path: Path) -> tuple[NDArray[Any], NDArray[Any], int | None]:
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = csv.reader(file, skipinitialspace=True)
                names = next(rows, [])
                missing = {"voltage", "current"} - set(names)
                if missing:
                    raise self._refusal(f"has no column named {' or '.join(sorted(missing))}")
                numbers = self._numbers(rows, names)
        except (UnicodeDecodeError, csv.Error) as fault:
            raise self._refusal("is not a readable csv file") from fault
        if np.array_equal(numbers, np.rint(numbers)) and np.abs(numbers).max(initial=0) < 2**31:
            numbers = numbers.astype(np.int32)
        return numbers[0::2], numbers[1::2], None

    def _numbers(self, rows: Any, names: list[str]) -> NDArray[Any]:
        """Voltage and current of each line in turn. A line that is none would shift all after it.

        Args:
            rows: a reader of csv, its header read.
            names: what stands in the header.
        """
        columns = names.index("voltage"), names.index("current")
        numbers, blank = array("d"), 0
        for row in rows:
            if not row:
                blank = blank or rows.line_num
                continue
            if blank:
                raise self._refusal(f"has nothing in line {blank}, before the end")
            if any(field.strip() for field in row[len(names) :]):
                raise self._refusal(
                    f"has more numbers in line {rows.line_num} than names in its header: a decimal"
                    " comma is none"
                )
            try:
                numbers.extend(float(row[column]) for column in columns)
            except (IndexError, ValueError):
                raise self._refusal(f"has no number in line {rows.line_num}") from None
        return np.array(numbers)

    def _agreed_rate(self, given_hz: int | None, told_hz: int | None) -> int:
        rate_hz = told_hz if given_hz is None else given_hz
        if rate_hz is None:
            raise self._refusal("does not say its sample rate")
        if told_hz is not None and told_hz != rate_hz:
            raise self._refusal(f"has a rate of {told_hz} Hz, not {given_hz} Hz")
        if not RATE_MIN_HZ <= rate_hz <= RATE_MAX_HZ:
            raise self._refusal(f"has a rate of {rate_hz} Hz, not 2,000 to 32,000 Hz")
        return rate_hz

    def _refuse_infinite(self, voltage: NDArray[Any], current: NDArray[Any]) -> None:
        for name, values in (("voltage", voltage), ("current", current)):
            if values.dtype.kind != "f":
                continue
            is_finite = np.isfinite(values)
            if not is_finite.all():
                sample = int(np.argmin(is_finite))
                raise self._refusal(f"has a {name} that is not a finite number, at sample {sample}")

    def _counts(self, name: str, values: NDArray[Any], scale: float) -> _Counts:
        if values.ndim != 1:
            raise self._refusal(f"has {values.ndim} dimensions of {name}, not one")
        if values.dtype.kind not in "iuf":
            raise self._refusal(f"has a {name} of {values.dtype}, which is not numbers")
        if values.dtype.kind == "f" or scale != 1.0:
            values = np.rint(values.astype(np.float64) * scale)
        full_scale = self.converter.full_scale_count
        if values.size and (values.max() >= full_scale or values.min() < -full_scale):
            raise self._refusal(f"has a {name} beyond the converter's {self.converter.bits} bits")
        return cast("_Counts", np.ascontiguousarray(values, self.converter.dtype))
