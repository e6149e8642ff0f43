from __future__ import annotations

import math
import struct
import tracemalloc
import wave
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elec_meter.errors import RecordingError
from elec_meter.sampling import Converter, RecordedSource, SamplingError

ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
V = (np.arange(4000) % 80 * 100 - 4000).astype(np.int16)
I = (np.arange(4000) % 80 - 40).astype(np.int16)  # noqa: E741 - the current's own letter


def write_wav(path: Path, counts: list[np.ndarray], width: int, rate_hz: int = 4000) -> Path:
    """Interleaved channels of `width` bytes per sample."""
    frames = np.stack(counts, axis=1).astype("<i4")
    raw = frames.view(np.uint8).reshape(-1, 4)[:, :width]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(counts))
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(raw.tobytes())
    return path


def assert_counts(source: RecordedSource) -> None:
    """The source holds V and I as they are."""
    block = source.block(0, 4000)
    assert (4000, 4000) == (source.rate_hz, source.end_sample)
    assert timedelta(seconds=1) == source.duration
    assert V.tolist() == block.voltage.tolist()
    assert I.tolist() == block.current.tolist()


def test_npz(tmp_path: Path) -> None:
    """An npz of int16 is taken as it is, with its own rate."""
    path = tmp_path / "mains.npz"
    np.savez(path, voltage=V, current=I, rate_hz=4000)
    source = RecordedSource(path, anchor_utc=ANCHOR)
    assert_counts(source)
    assert np.int16 == source.block(0, 1).voltage.dtype
    assert ANCHOR == source.block(0, 1).anchor_utc


@pytest.mark.parametrize("width", [2, 3])
def test_wav(tmp_path: Path, width: int) -> None:
    """A wav of 16 or 24 bits has voltage on the left and current on the right."""
    source = RecordedSource(write_wav(tmp_path / "mains.wav", [V, I], width))
    assert_counts(source)
    assert (16 if width == 2 else 24) == source.converter.bits


def test_wide_wav(tmp_path: Path) -> None:
    """Of a wav of 32 bits the upper 24 are kept."""
    wide = [V.astype(np.int32) << 8, I.astype(np.int32) << 8]
    assert_counts(RecordedSource(write_wav(tmp_path / "mains.WAV", wide, 4)))


def test_csv_of_counts(tmp_path: Path) -> None:
    """A csv of whole numbers holds counts; the caller says the rate."""
    path = tmp_path / "mains.csv"
    lines = [f"{v},{i}" for v, i in zip(V, I, strict=True)]
    path.write_text("\n".join(["voltage,current", *lines]))
    assert_counts(RecordedSource(path, rate_hz=4000))


def test_csv_of_volts(tmp_path: Path) -> None:
    """A csv with fractions holds volts and amperes, whatever else is in it."""
    path = tmp_path / "mains.csv"
    lines = [f"{k / 4000},{v / 10},{i / 10}" for k, (v, i) in enumerate(zip(V, I, strict=True))]
    path.write_text("\n".join(["time,voltage,current", *lines]))
    converter = Converter(voltage_peak_mv=500_000, current_peak_ma=10_000, bits=20)
    block = RecordedSource(path, rate_hz=4000, converter=converter).block(0, 4000)
    volts = block.voltage * float(converter.voltage_mv_per_count) / 1000
    assert V / 10 == pytest.approx(volts, abs=0.0005)


def test_csv_of_counts_with_points(tmp_path: Path) -> None:
    """A number that is whole is a count however it is written; blank lines at the end are none."""
    path = tmp_path / "mains.csv"
    lines = [f"{v}.0,{i}.00" if v % 3 else f"{v},{i:+e}," for v, i in zip(V, I, strict=True)]
    path.write_text("\n".join(["voltage,current", *lines, "", "\n"]))
    source = RecordedSource(path, rate_hz=4000)
    assert source.is_in_counts
    assert_counts(source)


@pytest.mark.parametrize("width", [2, 3])
def test_extensible_wav(tmp_path: Path, width: int) -> None:
    """The form in which sox and ffmpeg write 24 bits is read like the plain one, and odd chunks."""
    path = write_wav(tmp_path / "mains.wav", [V, I], width)
    plain = path.read_bytes()
    form = bytearray(plain[20:36])
    form[:2] = b"\xfe\xff"
    form += struct.pack("<HHI", 22, 8 * width, 3) + PCM_GUID
    chunks = [b"LIST" + struct.pack("<I", 3) + b"odd\0", b"fmt " + struct.pack("<I", 40) + form]
    path.write_bytes(plain[:12] + b"".join(chunks) + plain[36:])
    assert_counts(RecordedSource(path))
    other = bytearray(path.read_bytes())
    other[other.index(PCM_GUID)] = 3
    path.write_bytes(other)
    with pytest.raises(RecordingError, match="is not a readable wav file"):
        RecordedSource(path)


PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")


@pytest.mark.parametrize("lost", [1, 2, 8_000])
def test_wav_that_was_cut_off(tmp_path: Path, lost: int) -> None:
    """A wav with fewer samples than it promises is refused, as an npz is."""
    path = write_wav(tmp_path / "mains.wav", [V, I], 2)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(RecordingError) as refusal:
        RecordedSource(path)
    there = f"it has {16_000 - lost} of 16000 bytes of samples"
    assert f"mains.wav is cut off: {there}" == str(refusal.value)


def test_small_floats(tmp_path: Path) -> None:
    """Volts and amperes of 16 bits are scaled without an overflow."""
    path = tmp_path / "mains.npz"
    volts, amperes = (V / 20).astype(np.float16), (I / 4).astype(np.float16)
    np.savez(path, voltage=volts, current=amperes, rate_hz=4000)
    block = RecordedSource(path).block(0, 4000)
    gain = float(Converter(bits=24).voltage_mv_per_count) / 1000
    assert volts.astype(float) == pytest.approx(block.voltage * gain, abs=1e-4)


def test_npz_that_unpacks_to_too_much(tmp_path: Path) -> None:
    """Its size is looked at before anything is unpacked."""
    path = tmp_path / "mains.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("voltage.npy", b"\0" * 1000)
    small, big = struct.pack("<I", 1000), struct.pack("<I", (1 << 30) + 1)
    path.write_bytes(path.read_bytes().replace(small, big))
    with pytest.raises(RecordingError, match=r"unpacks to 1\.0 GiB of voltage, more than 1 GiB"):
        RecordedSource(path)


@pytest.mark.parametrize("rate_hz", [4000.5, math.nan, math.inf])
def test_a_rate_that_is_no_whole_number(tmp_path: Path, rate_hz: Any) -> None:
    """It is refused whoever gives it."""
    path = write_wav(tmp_path / "mains.wav", [V, I], 2)
    with pytest.raises(RecordingError, match="which is not a whole number"):
        RecordedSource(path, rate_hz=rate_hz)


def test_blocks_end_with_the_recording(tmp_path: Path) -> None:
    """Blocks of a recording end where it ends; beyond it there are no samples."""
    path = tmp_path / "mains.npz"
    np.savez(path, voltage=V, current=I, rate_hz=4000)
    source = RecordedSource(path)
    assert [1500, 1500, 1000] == [len(block) for block in source.blocks(1500)]
    with pytest.raises(SamplingError, match=r"^mains\.npz has samples 0 to 3999, not 3999 to 4000"):
        source.block(3999, 2)


BAD_ARRAYS: list[tuple[dict[str, Any], str]] = [
    ({"current": None}, "has no array named current"),
    ({"rate_hz": None}, "does not say its sample rate"),
    ({"rate_hz": 4000.5}, "has a rate of 4000.5 Hz, which is not a whole number"),
    ({"rate_hz": [4000, 5000]}, "has a rate_hz that is not one number"),
    ({"rate_hz": 500}, "has a rate of 500 Hz, not 2,000 to 32,000 Hz"),
    ({"voltage": V.reshape(2, 2000)}, "has 2 dimensions of voltage, not one"),
    ({"voltage": V[:100], "current": I[:100]}, "is shorter than 3 cycles of 50 Hz"),
    ({"voltage": V * 0 + 9000}, "is DC: its voltage does not alternate"),
    (
        {"voltage": V * 0 + np.arange(4000, dtype=np.int16) % 9},
        "is DC: its voltage does not alternate",
    ),
    ({"voltage": V[:3999]}, "has more samples of one quantity than of the other"),
    ({"current": I.astype("U4")}, "has a current of <U4, which is not numbers"),
    ({"current": I.astype(object)}, "is not a readable npz file"),
    (
        {"voltage": np.where(np.arange(4000) == 3999, np.nan, V)},
        "has a voltage that is not a finite number, at sample 3999",
    ),
    (
        {"voltage": V / 10, "current": np.where(np.arange(4000) > 16, np.inf, 1.0)},
        "has a current that is not a finite number, at sample 17",
    ),
    (
        {"voltage": V / 10, "current": np.where(np.arange(4000) == 0, -np.inf, 1.0)},
        "has a current that is not a finite number, at sample 0",
    ),
    (
        {"voltage": V / 10, "current": np.full(4000, 151.0)},
        "has a current beyond the converter's 24 bits",
    ),
    ({"voltage": np.full(4000, 1 << 24)}, "has a voltage beyond the converter's 24 bits"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_ARRAYS)
def test_bad_npz(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    """A wrong npz is refused with one sentence that names the file and the reason."""
    arrays = {"voltage": V, "current": I, "rate_hz": 4000, **change}
    path = tmp_path / "bad.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(RecordingError) as refusal:
        RecordedSource(path)
    assert f"bad.npz {reason}" == str(refusal.value)


# Two channels of 32-bit floating point, one of them infinite: format 3 and not 1.
FLOAT_WAV = b"".join(
    (
        *(b"RIFF", struct.pack("<I", 44), b"WAVEfmt "),
        struct.pack("<IHHIIHH", 16, 3, 2, 4000, 32_000, 8, 32),
        *(b"data", struct.pack("<I2f", 8, 1.0, math.inf)),
    )
)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.npz", b"PK\x03\x04 and no more", "is not a readable npz file"),
        ("a.npz", b"", "is not a readable npz file"),
        ("a.wav", b"RIFF\x00", "is not a readable wav file"),
        ("a.mp3", b"", "is not an npz, wav or csv file"),
        ("a.csv", b"volts,amps\n1,2\n", "has no column named current or voltage"),
        ("a.csv", b"", "has no column named current or voltage"),
        ("a.csv", b"\xff\xfe\x00", "is not a readable csv file"),
        ("a.csv", b"voltage,current\n1,2\n3,\n", "has no number in line 3"),
        ("a.csv", b"voltage,current\n1,2\n3\n", "has no number in line 3"),
        ("a.csv", b"voltage,current\n1,2\n\n\n1,2\n", "has nothing in line 3, before the end"),
        (
            "a.csv",
            b"voltage,current\n1,2\n1,5,2,3\n",
            "has more numbers in line 3 than names in its header: a decimal comma is none",
        ),
        (
            "a.csv",
            b"voltage,current\n9000,2\n9000,inf\n",
            "has a current that is not a finite number, at sample 1",
        ),
        (
            "a.csv",
            b"voltage,current\n1,2\n1,nan\n",
            "has a current that is not a finite number, at sample 1",
        ),
        (
            "a.csv",
            b"voltage,current\n-inf,2\n1,2\n",
            "has a voltage that is not a finite number, at sample 0",
        ),
        ("a.wav", FLOAT_WAV, "is not a readable wav file"),
    ],
)
def test_bad_file(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """A broken file is refused with one sentence that names the file and the reason."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError) as refusal:
        RecordedSource(path, rate_hz=4000)
    assert f"{name} {reason}" == str(refusal.value)


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is refused, a directory too."""
    with pytest.raises(RecordingError, match=r"^none\.wav does not exist$"):
        RecordedSource(tmp_path / "none.wav")
    (tmp_path / "dir.npz").mkdir()
    with pytest.raises(RecordingError, match=r"^dir\.npz cannot be read"):
        RecordedSource(tmp_path / "dir.npz")


def test_npz_that_promises_more_than_it_holds(tmp_path: Path) -> None:
    """A header of a hundred million numbers over four thousand is refused before room is made."""
    path = tmp_path / "mains.npz"
    np.savez(path, voltage=V, current=I, rate_hz=4000)
    header, promise = b"'shape': (4000,), }     ", b"'shape': (100000000,), }"
    path.write_bytes(path.read_bytes().replace(header, promise))
    tracemalloc.start()
    with pytest.raises(RecordingError, match=r"^mains\.npz is not a readable npz file$"):
        RecordedSource(path)
    assert 1 << 20 > tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_damaged_packed_npz(tmp_path: Path) -> None:
    """Any byte of a compressed recording changed is a RecordingError, or does no harm."""
    path = tmp_path / "mains.npz"
    np.savez_compressed(path, voltage=V, current=I, rate_hz=4000)
    whole = path.read_bytes()
    refused = 0
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            RecordedSource(path)
        except RecordingError:
            refused += 1
    assert len(whole) // 6 < refused


def test_wav_with_a_chunk_beyond_its_end(tmp_path: Path) -> None:
    """A chunk whose length leads out of the file is refused."""
    path = write_wav(tmp_path / "mains.wav", [V, I], 2)
    data = bytearray(path.read_bytes())
    data[12:16] = b"none"
    data[16:20] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="is not a readable wav file"):
        RecordedSource(path)


@pytest.mark.parametrize("channels", [1, 3])
def test_wrong_channels(tmp_path: Path, channels: int) -> None:
    """A wav without exactly two channels is refused."""
    path = write_wav(tmp_path / "mono.wav", [V] * channels, 2)
    with pytest.raises(RecordingError, match=f"has {channels} channels, not two"):
        RecordedSource(path)


def test_rates_disagree(tmp_path: Path) -> None:
    """A rate that is not the file's is refused."""
    path = write_wav(tmp_path / "mains.wav", [V, I], 2)
    with pytest.raises(RecordingError, match="has a rate of 4000 Hz, not 8000 Hz"):
        RecordedSource(path, rate_hz=8000)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=200), st.sampled_from(["npz", "wav", "csv"]))
def test_garbage(tmp_path: Path, content: bytes, suffix: str) -> None:
    """Whatever the bytes, there is a RecordingError and nothing else."""
    path = tmp_path / f"garbage.{suffix}"
    path.write_bytes(content)
    with pytest.raises(RecordingError):
        RecordedSource(path, rate_hz=4000)
