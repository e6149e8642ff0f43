"""What every bearer does, and what each does besides."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

from collector import (
    Bearer,
    BearerClosedError,
    BleBearer,
    MbusMaster,
    MbusSlave,
    OneWayBearerError,
    ReceivedFrame,
    ReplayFile,
    ReplayFileError,
    VirtualRadio,
    WmbusStick,
)
from collector.bearers.ble import BTHOME_UUID, BleBackend
from collector.bearers.replay import read_frames
from collector.stick_setup import KINDS
from shared.timegrid import from_unix_ms, unix_ms
from shared.wire.wmbus import frame_a
from tests.collector.bus import Bus, BusServer, Slave
from tests.collector.devices import Awaited, PtyStick
from tests.collector.sticks import SAYS, link
from tests.collector.world import START_S

START_MS = START_S * 1000
SENT_MS = [START_MS + 900_000 * n for n in range(1, 9)]
END_MS = START_MS + 10_000_000


class Prepared:
    """A bearer and what was sent to it, by the time of sending."""

    def __init__(self, bearer: Bearer, frames: dict[int, bytes]) -> None:
        self.bearer = bearer
        self.frames = frames


Maker = Callable[[Path], Iterator[Prepared]]


def _virtual(folder: Path) -> Iterator[Prepared]:
    frames = {sent_ms: link(number) for number, sent_ms in enumerate(SENT_MS)}
    radio = VirtualRadio(1, delay_max_s=3)
    for sent_ms, data in frames.items():
        radio.send(data, sent_ms)
    yield Prepared(radio, frames)


def _replay(folder: Path) -> Iterator[Prepared]:
    frames = {sent_ms: link(number) for number, sent_ms in enumerate(SENT_MS)}
    path = folder / "frames.txt"
    lines = [
        f"{from_unix_ms(sent_ms).isoformat()} {data.hex()}" for sent_ms, data in frames.items()
    ]
    path.write_text("# recorded\n\n" + "\n".join(lines[::-1]) + "\n")
    yield Prepared(ReplayFile(path, delay_max_s=3), frames)


def _stick(kind: str, folder: Path) -> Iterator[Prepared]:
    stick = PtyStick(kind, folder)
    awaited = Awaited()
    bearer = WmbusStick(kind, stick.url, wake=awaited.wake, clock_ms=awaited.clock_ms)
    frames = {}
    try:
        awaited.reports(bearer.take_reports, 1)
        for number, sent_ms in enumerate(SENT_MS):
            frames[sent_ms] = (
                link(number) if kind in ("im871a", "amb8465") else frame_a(link(number))
            )
            awaited.now_ms = sent_ms + 1_000
            stick.say(SAYS[kind](link(number)))
            awaited.until(lambda: len(bearer._frames) == len(frames))
        yield Prepared(bearer, frames)
    finally:
        bearer.close()
        stick.unplug()


def _wired(folder: Path) -> Iterator[Prepared]:
    bus = Bus([Slave(5, "00000001")])
    server = BusServer(bus)
    awaited = Awaited()
    bearer = MbusMaster(
        server.url,
        [MbusSlave(primary=5)],
        period_s=0,
        latency_ms=30,
        wake=awaited.wake,
        clock_ms=awaited.clock_ms,
    )
    frames = {}
    try:
        awaited.reports(bearer.take_reports, 1)
        for sent_ms in SENT_MS:
            awaited.now_ms = sent_ms + 1_000
            bearer.poll()
            awaited.until(lambda: len(bearer._frames) == len(frames) + 1)
            frames[sent_ms] = bus.heard
        yield Prepared(bearer, frames)
    finally:
        bearer.close()
        server.switch_off()


class Announcer(BaseBleakScanner):
    """A scanner that hears what it is given."""

    def __init__(self, callback: Any, uuids: Any, mode: str, **arguments: Any) -> None:
        super().__init__(callback, uuids)
        ANNOUNCERS.append(self)

    async def start(self) -> None:
        """Nothing is to be started."""
        self.loop = asyncio.get_running_loop()

    async def stop(self) -> None:
        """Nor stopped."""

    def announce(self, data: bytes) -> None:
        """An advert, in the bearer's loop."""
        advert = AdvertisementData(None, {}, {BTHOME_UUID: data}, [], None, -60, ())
        device = BLEDevice("C0:FF:EE:00:00:01", None, None)
        self.loop.call_soon_threadsafe(self.call_detection_callbacks, device, advert)


ANNOUNCERS: list[Announcer] = []


def _ble(folder: Path) -> Iterator[Prepared]:
    awaited = Awaited()
    bearer = BleBearer(
        advert_delay_max_s=3,
        backend=BleBackend(Announcer, BaseBleakClient),
        wake=awaited.wake,
        clock_ms=awaited.clock_ms,
    )
    frames = {}
    try:
        awaited.reports(bearer.take_reports, 1)
        announcer = ANNOUNCERS.pop()
        for number, sent_ms in enumerate(SENT_MS):
            frames[sent_ms] = link(number)
            awaited.now_ms = sent_ms + 1_000
            announcer.announce(link(number))
            awaited.until(lambda: len(bearer._frames) == len(frames))
        yield Prepared(bearer, frames)
    finally:
        bearer.close()


MAKERS: dict[str, Maker] = {
    "ble": _ble,
    "virtual": _virtual,
    "replay": _replay,
    "mbus_master": _wired,
    **{kind: functools.partial(_stick, kind) for kind in KINDS},
}


@pytest.fixture(params=MAKERS)
def prepared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Prepared]:
    """A bearer of each kind with frames under way."""
    yield from MAKERS[request.param](tmp_path)


def test_frames_come_whole_once_and_in_order(prepared: Prepared) -> None:
    """Asked as time goes by, it hands over every frame once, in order of reception."""
    received = []
    for now_ms in range(START_MS, END_MS, 600_000):
        batch = prepared.bearer.receive_until(now_ms)
        assert all(unix_ms(frame.received_utc) <= now_ms for frame in batch)
        received += batch
    assert list(prepared.frames.values()) == [frame.data for frame in received]
    assert received == sorted(received, key=lambda frame: frame.received_utc)


def test_reception_is_within_the_declared_delay(prepared: Prepared) -> None:
    """No frame comes before it was sent, or later than its greatest delay."""
    received = prepared.bearer.receive_until(END_MS)
    for sent_ms, frame in zip(prepared.frames, received, strict=True):
        assert frame.delay_max_s is not None
        assert 0 <= unix_ms(frame.received_utc) - sent_ms <= frame.delay_max_s * 1000


def test_next_frame_is_announced(prepared: Prepared) -> None:
    """The next frame comes when it was said to, and nothing is announced after the last."""
    bearer = prepared.bearer
    next_ms = bearer.next_frame_utc_ms()
    assert next_ms is not None
    assert [] == bearer.receive_until(next_ms - 1)
    assert 1 == len(bearer.receive_until(next_ms))
    bearer.receive_until(END_MS)
    assert bearer.next_frame_utc_ms() is None


def test_frames_name_their_bearer(prepared: Prepared) -> None:
    """Each frame says which bearer brought it; only a two-way bearer says that a unit listens."""
    bearer = prepared.bearer
    for frame in bearer.receive_until(END_MS):
        assert bearer.name == frame.bearer
        assert bearer.is_two_way >= frame.two_way


def test_reply_needs_a_way_back(prepared: Prepared) -> None:
    """A reply goes out, or the bearer says that it cannot."""
    if prepared.bearer.is_two_way:
        prepared.bearer.reply("00000001", b"command")
    else:
        with pytest.raises(OneWayBearerError):
            prepared.bearer.reply("00000001", b"command")


def test_reports_are_taken_once(prepared: Prepared) -> None:
    """They name their bearer, and do not come again."""
    assert all(prepared.bearer.name == report.bearer for report in prepared.bearer.take_reports())
    assert [] == prepared.bearer.take_reports()


def test_closed_bearer_says_so(prepared: Prepared) -> None:
    """Closed, even twice, it hands over nothing more, and takes nothing."""
    bearer = prepared.bearer
    bearer.close()
    bearer.close()
    with pytest.raises(BearerClosedError):
        bearer.receive_until(END_MS)
    with pytest.raises((BearerClosedError, OneWayBearerError)):
        bearer.reply("00000001", b"command")
    assert bearer.next_frame_utc_ms() is None


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
