"""What every bearer does, and what each does besides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collector import (
    Bearer,
    BearerClosedError,
    OneWayBearerError,
    ReceivedFrame,
    ReplayFile,
    ReplayFileError,
    VirtualRadio,
)
from collector.bearers.replay import read_frames
from shared.timegrid import from_unix_ms, unix_ms
from tests.collector.world import START_S

START_MS = START_S * 1000
FRAMES = {START_MS + 900_000 * n: bytes([n]) * 20 for n in range(1, 9)}
END_MS = START_MS + 10_000_000

Maker = Callable[[Path], Bearer]


def _virtual(directory: Path) -> Bearer:
    radio = VirtualRadio(1, delay_max_s=3)
    for sent_ms, data in FRAMES.items():
        radio.send(data, sent_ms)
    return radio


def _replay(directory: Path) -> Bearer:
    path = directory / "frames.txt"
    lines = [
        f"{from_unix_ms(sent_ms).isoformat()} {data.hex()}" for sent_ms, data in FRAMES.items()
    ]
    path.write_text("# recorded\n\n" + "\n".join(lines[::-1]) + "\n")
    return ReplayFile(path, delay_max_s=3)


@pytest.fixture(params=[_virtual, _replay])
def bearer(request: pytest.FixtureRequest, tmp_path: Path) -> Bearer:
    """A bearer of each kind with the same frames under way."""
    maker: Maker = request.param
    return maker(tmp_path)


def test_frames_come_whole_once_and_in_order(bearer: Bearer) -> None:
    """Asked as time goes by, it hands over every frame once, in order of reception."""
    received = []
    for now_ms in range(START_MS, END_MS, 600_000):
        batch = bearer.receive_until(now_ms)
        assert all(unix_ms(frame.received_utc) <= now_ms for frame in batch)
        received += batch
    assert list(FRAMES.values()) == [frame.data for frame in received]
    assert received == sorted(received, key=lambda frame: frame.received_utc)


def test_reception_is_within_the_declared_delay(bearer: Bearer) -> None:
    """No frame comes before it was sent, or later than its greatest delay."""
    for (sent_ms, _), frame in zip(FRAMES.items(), bearer.receive_until(END_MS), strict=True):
        assert 3 == frame.delay_max_s
        assert 0 <= unix_ms(frame.received_utc) - sent_ms <= 3000


def test_next_frame_is_announced(bearer: Bearer) -> None:
    """The next frame comes when it was said to, and nothing is announced after the last."""
    next_ms = bearer.next_frame_utc_ms()
    assert next_ms is not None
    assert [] == bearer.receive_until(next_ms - 1)
    assert 1 == len(bearer.receive_until(next_ms))
    bearer.receive_until(END_MS)
    assert bearer.next_frame_utc_ms() is None


def test_frames_name_their_bearer(bearer: Bearer) -> None:
    """Each frame says which bearer brought it, and whether its unit can be answered."""
    for frame in bearer.receive_until(END_MS):
        assert bearer.name == frame.bearer
        assert bearer.is_two_way == frame.two_way


def test_reply_needs_a_way_back(bearer: Bearer) -> None:
    """A reply goes out, or the bearer says that it cannot."""
    if bearer.is_two_way:
        bearer.reply("00000001", b"command")
    else:
        with pytest.raises(OneWayBearerError):
            bearer.reply("00000001", b"command")


def test_closed_bearer_says_so(bearer: Bearer) -> None:
    """Closed, even twice, it hands over nothing more."""
    bearer.close()
    bearer.close()
    with pytest.raises(BearerClosedError):
        bearer.receive_until(END_MS)


def _heard(radio: VirtualRadio, count: int = 400) -> list[ReceivedFrame]:
    for n in range(count):
        radio.send(n.to_bytes(2) * 10, START_MS + n * 60_000)
    return radio.receive_until(START_MS + 10**9)


def test_virtual_radio_is_its_seed() -> None:
    """The same seed does the same to the same frames, another one does not."""
    faults = {"loss": 0.5, "duplicate": 0.2, "reorder": 0.1, "corrupt": 0.1}
    first = _heard(VirtualRadio(7, **faults))
    assert first == _heard(VirtualRadio(7, **faults))
    assert first != _heard(VirtualRadio(8, **faults))


def test_virtual_radio_does_what_it_is_told() -> None:
    """Loss, repetition, delay through a store and damage happen about as often as asked for."""
    assert 20 < len(_heard(VirtualRadio(1, loss=0.9))) < 60
    assert 450 < len(_heard(VirtualRadio(1, duplicate=0.25))) < 550
    stored = [frame for frame in _heard(VirtualRadio(1, reorder=0.2)) if frame.delay_max_s is None]
    assert 50 < len(stored) < 110
    damaged = [f for f in _heard(VirtualRadio(1, corrupt=0.2)) if f.data[:2] * 10 != f.data]
    assert 50 < len(damaged) < 110


def test_virtual_radio_carries_replies() -> None:
    """A reply is heard once, or lost."""
    radio = VirtualRadio(1)
    radio.reply("00000001", b"command")
    assert [("00000001", b"command")] == radio.take_replies()
    assert [] == radio.take_replies()
    deaf = VirtualRadio(1, reply_loss=1.0)
    deaf.reply("00000001", b"command")
    assert [] == deaf.take_replies()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2026-01-01T00:00:00Z", "line 2 has no frame after its time"),
        ("2026-01-01T00:00:00Z 2E4", "line 2 has a frame that is not hexadecimal"),
        (
            "yesterday 2E44",
            "line 2 begins with 'yesterday' where a time such as 2026-01-01T00:15:02Z is needed",
        ),
        (
            "2026-01-01T00:00:00 2E44",
            (
                "line 2 begins with '2026-01-01T00:00:00' where a time such as"
                " 2026-01-01T00:15:02Z is needed"
            ),
        ),
        ("2026-01-01T00:00:00Z " + "00" * 513, "line 2 has a frame of 513 bytes"),
    ],
)
def test_bad_line_is_named(line: str, sentence: str) -> None:
    """One plain sentence says which line is wrong, and how."""
    with pytest.raises(ReplayFileError) as caught:
        read_frames(["# a comment", line])
    assert sentence == str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that cannot be read, or is not text, is an error of its own kind."""
    with pytest.raises(ReplayFileError, match="cannot be read"):
        ReplayFile(tmp_path / "none.txt")
    (tmp_path / "noise.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReplayFileError, match="not a text file"):
        ReplayFile(tmp_path / "noise.txt")
