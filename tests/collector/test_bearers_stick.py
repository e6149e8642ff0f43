from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import BearerSettingError, WmbusStick
from collector.bearers.reports import BearerLost, BearerWorks
from collector.stick_setup import KINDS
from shared.wire.sticks import IMST_START
from shared.wire.wmbus import unframe
from tests.collector.devices import SOON, Awaited, PtyStick
from tests.collector.sticks import SAYS, link


class Bench:
    """A bearer, its stick, and what it wakes."""

    def __init__(self, kind: str, stick: PtyStick, mode: str = "T1") -> None:
        self.awaited = Awaited()
        self.stick = stick
        self.bearer = WmbusStick(
            kind,
            stick.url,
            mode=mode,
            name="stick",
            wake=self.awaited.wake,
            clock_ms=self.awaited.clock_ms,
            back_off=SOON,
        )
        self.received: list[bytes] = []

    def works(self) -> None:
        """Wait until the device works."""
        (report,) = self.awaited.reports(self.bearer.take_reports, 1)
        assert isinstance(report, BearerWorks)

    def frames(self, count: int) -> list[bytes]:
        """Wait for so many frames in all."""

        def enough() -> bool:
            self.received += [unframe(frame.data) for frame in self.bearer.receive_until(10)]
            return len(self.received) >= count

        self.awaited.until(enough)
        return self.received


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    """Benches that are cleared away."""
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.bearer.close()
        bench.stick.unplug()


@pytest.mark.parametrize(
    ("kind", "mode"), [(kind, mode) for kind, each in KINDS.items() for mode in each.modes]
)
def test_a_stick_is_set_up_before_it_is_heard(
    kind: str, mode: str, tmp_path: Path, benches: list[Bench]
) -> None:
    """Every kind and mode: it is told, it answers, and the bearer reports that it works."""
    stick = PtyStick(kind, tmp_path)
    benches.append(Bench(kind, stick, mode))
    benches[0].works()
    assert (kind == "hex") == (stick.heard == b"")
    if kind == "im871a":
        assert IMST_START == stick.heard[0]
    if kind == "amb8465":
        assert {0x05: 1, 0x45: 1} == stick.parameters


@pytest.mark.parametrize("kind", KINDS)
def test_a_megabyte_of_noise_costs_no_frame(
    kind: str, tmp_path: Path, benches: list[Bench]
) -> None:
    """Random bytes on the line between two telegrams: both arrive."""
    bench = Bench(kind, PtyStick(kind, tmp_path))
    benches.append(bench)
    bench.works()
    bench.stick.say(SAYS[kind](link(1)))
    noise = random.Random(5)
    for _ in range(256):
        bench.stick.say(noise.randbytes(4096))
    bench.stick.say(SAYS[kind](link(2)))

    def both() -> bool:
        return link(2) in bench.frames(0)

    bench.awaited.until(both)
    assert [link(1), link(2)] == [each for each in bench.received if each in (link(1), link(2))]


def test_an_unplugged_stick_comes_back(tmp_path: Path, benches: list[Bench]) -> None:
    """Its loss is reported once, so is its return, and frames arrive again."""
    bench = Bench("im871a", PtyStick("im871a", tmp_path))
    benches.append(bench)
    bench.works()
    bench.stick.unplug()
    (lost, *more) = bench.awaited.reports(bench.bearer.take_reports, 2)
    assert isinstance(lost, BearerLost)
    assert lost.sentence.startswith(f"stick has lost {bench.stick.url}: ")
    assert [
        f"stick cannot open {bench.stick.url}: it does not exist: is the device plugged in"
    ] == [report.sentence for report in more if isinstance(report, BearerLost)]
    bench.stick.plug()
    bench.works()
    bench.stick.say(SAYS["im871a"](link(3)))
    assert [link(3)] == bench.frames(1)


def test_a_stick_may_be_missing_at_first(tmp_path: Path, benches: list[Bench]) -> None:
    """The bearer is made all the same, says what is missing, and works once it is there."""
    stick = PtyStick("cul", tmp_path)
    stick.unplug()
    bench = Bench("cul", stick)
    benches.append(bench)
    (lost,) = bench.awaited.reports(bench.bearer.take_reports, 1)
    assert isinstance(lost, BearerLost)
    assert "is the device plugged in" in lost.sentence
    stick.plug()
    bench.works()


def test_a_dead_stick_takes_no_other_down(tmp_path: Path, benches: list[Bench]) -> None:
    """While one is missing, another hears."""
    (tmp_path / "dead").mkdir()
    dead = PtyStick("hex", tmp_path / "dead")
    dead.unplug()
    benches += [Bench("hex", dead), Bench("hex", PtyStick("hex", tmp_path))]
    benches[1].works()
    benches[1].stick.say(SAYS["hex"](link(4)))
    assert [link(4)] == benches[1].frames(1)


@pytest.mark.parametrize(
    ("kind", "name"), [("im871a", "iM871A"), ("amb8465", "AMB8465"), ("cul", "CUL")]
)
def test_a_device_of_another_kind_is_told(
    kind: str, name: str, tmp_path: Path, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not answer is lost, with what was expected of it."""
    monkeypatch.setattr("collector.stick_setup._TRIES", 1)
    bench = Bench(kind, PtyStick(kind, tmp_path, dumb=True))
    benches.append(bench)
    (lost,) = bench.awaited.reports(bench.bearer.take_reports, 1)
    assert isinstance(lost, BearerLost)
    expected = f"stick at {bench.stick.url}: what is plugged in does not answer as {name} sticks do"
    assert expected == lost.sentence


@pytest.mark.parametrize(
    ("kind", "mode", "sentence"),
    [
        ("cc1101", "T1", "a radio stick is one of im871a, amb8465, cul, hex, not 'cc1101'"),
        ("cul", "N1", "a stick of the kind cul hears T1, C1, S1, not 'N1'"),
    ],
)
def test_what_no_stick_is_is_refused(kind: str, mode: str, sentence: str) -> None:
    """At once, before any device is touched."""
    with pytest.raises(BearerSettingError) as caught:
        WmbusStick(kind, "/dev/null", mode=mode)
    assert sentence == str(caught.value)
