"""A serial front end on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import serial

from elec_meter.metrology import Calibration, Flags, Metrology
from elec_meter.sampling import (
    SampleBlock,
    SampleFrame,
    SampleStream,
    SamplingError,
    SerialAfe,
    SourceLostError,
    serial_afe,
)
from tests.elec_meter.sampling.front_end import FrontEnd, frames, mains, said

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def front_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[FrontEnd]:
    """One that speaks as soon as its port is open: to open a port forgets what came before."""
    with FrontEnd() as plugged:
        real = serial.serial_for_url

        def opened(*words: Any, **options: Any) -> Any:
            port = real(*words, **options)
            plugged.heard.set()
            return port

        monkeypatch.setattr(serial, "serial_for_url", opened)
        yield plugged


def listening(front_end: FrontEnd) -> SerialAfe:
    """The source on it; its host's clock stands."""
    return SerialAfe(front_end.port, silent_s=1.0, now=lambda: NOW)


def received(source: SampleStream, samples: int) -> list[SampleBlock]:
    """All blocks, until the front end falls silent."""
    blocks: list[SampleBlock] = []
    with contextlib.suppress(SourceLostError):
        blocks.extend(source.blocks(samples))
    return blocks


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("samples", [150, 4000])
def test_blocks(front_end: FrontEnd, bits: int, samples: int) -> None:
    """Every sample comes once, in order, in blocks of the size that was asked for."""
    front_end.say(b"".join(said(list(frames(mains(bits), 1)))))
    with listening(front_end) as source:
        assert 4000 == source.rate_hz
        blocks = received(source, samples)
        assert (0, 0) == (source.lost_frames, source.damaged_bytes)
    assert list(range(0, 4000, samples)) == [block.first_sample for block in blocks]
    expected = mains(bits).block(0, 4000)
    for name in ("voltage", "current"):
        counts = np.concatenate([getattr(block, name) for block in blocks])
        assert getattr(expected, name).dtype == counts.dtype
        assert getattr(expected, name).tolist() == counts.tolist()


def test_dates(front_end: FrontEnd) -> None:
    """The first frame's last sample was taken when it came."""
    front_end.say(b"".join(said(list(frames(mains(), 1)))))
    with listening(front_end) as source:
        assert NOW - timedelta(microseconds=50_000) == source.anchor_utc
        (block,) = received(source, 8000)
    assert (0, 4000) == (block.first_sample, len(block))
    assert source.anchor_utc == block.anchor_utc


def test_a_clock_that_goes_astray(front_end: FrontEnd) -> None:
    """A front end that has lost a second against the host gets a new date, and no gap."""
    front_end.say(b"".join(said(list(frames(mains(), 3)))))
    with listening(front_end) as source:
        blocks = received(source, 1000)
    assert list(range(0, 12_000, 1000)) == [block.first_sample for block in blocks]
    # The host's clock stands: the front end runs ahead of it by more and more.
    assert all(block.end_utc <= NOW + timedelta(seconds=1) for block in blocks)
    assert blocks[-1].anchor_utc < blocks[0].anchor_utc


def test_a_lost_frame(front_end: FrontEnd) -> None:
    """It leaves a gap between blocks, which metrology flags, and is counted."""
    whole = said(list(frames(mains(), 2)))
    front_end.say(b"".join(whole[:7] + whole[9:]))
    with listening(front_end) as source:
        blocks = received(source, 1000)
        assert 2 == source.lost_frames
    assert [(0, 1000), (1000, 400), (1800, 1000)] == [
        (block.first_sample, len(block)) for block in blocks[:3]
    ]
    assert [block.end_sample for block in blocks[2:-1]] == [b.first_sample for b in blocks[3:]]
    metrology = Metrology(Calibration.for_converter(mains().converter), rate_hz=4000)
    flags = [metrology.process(block).flags for block in blocks]
    assert [Flags.GAP] == [each for each in flags if each]
    assert Flags.GAP == flags[2]


def test_garbage_between_frames(front_end: FrontEnd) -> None:
    """Garbage and half frames cost nothing but themselves."""
    whole = said(list(frames(mains(), 1)))
    spoken = [whole[3][9:], b"\xa5" * 30, *whole[:8], b"boot!\r\n", *whole[8:]]
    front_end.say(b"".join(spoken))
    with listening(front_end) as source:
        (block,) = received(source, 4000)
        assert len(whole[3]) - 9 + 30 + 7 == source.damaged_bytes
        assert 0 == source.lost_frames
    assert mains().block(0, 4000).current.tolist() == block.current.tolist()


def test_a_repeated_frame(front_end: FrontEnd) -> None:
    """A frame that comes twice counts once."""
    whole = said(list(frames(mains(), 1)))
    front_end.say(b"".join([*whole[:5], whole[4], *whole[5:]]))
    with listening(front_end) as source:
        (block,) = received(source, 4000)
        assert (0, 4000) == (source.lost_frames, len(block))


@pytest.mark.parametrize(
    ("order", "lost"),
    [
        ([0, 1, 2, 3, 1, 4, 5, 6], 0),  # an old one again
        ([0, 1, 2, 2, 2, 3, 4, 5, 6], 0),
        ([0, 1, 3, 2, 4, 5, 6], 1),  # two the wrong way round: what is late is left out
        ([0, 1, 2, 5, 3, 6], 2),
    ],
)
def test_frames_out_of_order(front_end: FrontEnd, order: list[int], lost: int) -> None:
    """No sample is measured twice, and only frames whose samples are missing are lost."""
    whole = said(list(frames(mains(), 1)))
    front_end.say(b"".join(whole[k] for k in order))
    with listening(front_end) as source:
        blocks = received(source, 4000)
        assert lost == source.lost_frames
    assert 7 * 200 - lost * 200 == sum(map(len, blocks))
    ends = [block.end_sample for block in blocks]
    assert ends == sorted(ends)
    assert 1 == len({block.anchor_utc for block in blocks})


def test_a_frame_that_begins_before_the_last_one_ended(front_end: FrontEnd) -> None:
    """Only what is new of it is measured."""
    source = mains()
    spans = [(0, 200), (150, 350), (350, 550)]
    given = []
    for number, (first, end) in enumerate(spans):
        block = source.block(first, end - first)
        given.append(SampleFrame(number, 4000, first, block.voltage, block.current))
    front_end.say(b"".join(said(given)))
    with listening(front_end) as afe:
        (block,) = received(afe, 4000)
        assert 0 == afe.lost_frames
    assert source.block(0, 550).voltage.tolist() == block.voltage.tolist()
    assert source.block(0, 550).current.tolist() == block.current.tolist()


def test_a_front_end_that_repeats_itself(
    front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that sends the same frame for ever is lost, as if it were silent."""
    ticks = itertools.count(0, 0.05)
    monkeypatch.setattr(serial_afe, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    whole = said(list(frames(mains(), 1)))
    front_end.say(b"".join(whole[:3] + whole[2:3] * 1000))
    with listening(front_end) as source:
        (block,) = received(source, 4000)
    assert 600 == len(block)
    assert 4 > next(ticks), "before all of them have been read"


def test_a_front_end_that_starts_anew(front_end: FrontEnd) -> None:
    """Its samples are a new stream, with an anchor of its own, and measured as one."""
    whole = said(list(frames(mains(), 1)))
    front_end.say(b"".join(whole[5:15] + whole))
    ticks = (NOW + timedelta(microseconds=each) for each in range(10**6))
    with SerialAfe(front_end.port, silent_s=1.0, now=lambda: next(ticks)) as source:
        blocks = received(source, 4000)
        assert 0 == source.lost_frames
    assert [(0, 2000), (0, 4000)] == [(block.first_sample, len(block)) for block in blocks]
    assert blocks[0].anchor_utc != blocks[1].anchor_utc
    metrology = Metrology(Calibration.for_converter(mains().converter), rate_hz=4000)
    assert [Flags(0), Flags.GAP] == [metrology.process(block).flags for block in blocks]


@pytest.mark.parametrize(("rate_hz", "bits", "word"), [(8000, 16, "8000"), (4000, 24, "width")])
def test_another_kind_of_frame(front_end: FrontEnd, rate_hz: int, bits: int, word: str) -> None:
    """Another rate or width than before is refused, after what came before it."""
    first = list(frames(mains(), 1))[:5]
    other = next(frames(mains(bits, rate_hz), 1))
    changed = SampleFrame(5, rate_hz, 1000, other.voltage, other.current)
    front_end.say(b"".join(said([*first, changed])))
    with listening(front_end) as source:
        blocks = source.blocks(4000)
        assert 1000 == len(next(blocks))
        with pytest.raises(SourceLostError, match=word):
            next(blocks)


def test_unplugged(front_end: FrontEnd) -> None:
    """What was read before comes first, then one plain sentence."""
    front_end.say(b"".join(said(list(frames(mains(), 1))[:3])))
    with listening(front_end) as source:
        blocks = source.blocks(600)
        assert 600 == len(next(blocks))
        front_end.unplug()
        with pytest.raises(SourceLostError, match="is lost") as caught:
            next(blocks)
    assert front_end.port in str(caught.value)


def test_silence(front_end: FrontEnd) -> None:
    """A port on which nothing is said, or nothing sensible, is no front end."""
    with pytest.raises(SourceLostError, match=r"no frame for 0\.2 s"):
        SerialAfe(front_end.port, silent_s=0.2)
    front_end.say(b"AT\r\nOK\r\n" * 400)
    with pytest.raises(SourceLostError, match=r"no frame for 0\.2 s"):
        SerialAfe(front_end.port, silent_s=0.2)


def test_no_such_port(tmp_path: Path) -> None:
    """A port that does not exist, or an address of no kind."""
    with pytest.raises(SourceLostError, match="is the front end plugged in"):
        SerialAfe(str(tmp_path / "ttyUSB0"))
    with pytest.raises(SourceLostError, match="cannot be opened"):
        SerialAfe("nonsense://here")


def test_no_samples_at_a_time(front_end: FrontEnd) -> None:
    """There are no blocks of nothing."""
    front_end.say(b"".join(said(list(frames(mains(), 1))[:3])))
    with listening(front_end) as source, pytest.raises(SamplingError):
        next(source.blocks(0))
