from __future__ import annotations

import os
import random
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import (
    BearerLost,
    BearerReport,
    BearerSettingError,
    BearerWorks,
    CommandAnswered,
    MbusMaster,
    MbusSlave,
    ScanEnded,
    SlaveFound,
    UnitUnreached,
)
from collector.bearers.device import COMMAND_LATE
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.command import seal_phase
from shared.wire.mbus import decode_frame
from tests.collector.bus import Bus, BusServer, Slave, count
from tests.collector.devices import LIMIT_S, SOON, Awaited

SERIAL = "12345678"


class Bench:
    """A master and the bus that it reads, behind a socket."""

    def __init__(self, bus: Bus, slaves: list[MbusSlave], period_s: int = 0) -> None:
        self.server = BusServer(bus)
        self.awaited = Awaited()
        self.master = MbusMaster(
            self.server.url,
            slaves,
            baud=9_600,
            latency_ms=30,
            period_s=period_s,
            name="bus",
            wake=self.awaited.wake,
            clock_ms=self.awaited.clock_ms,
            back_off=SOON,
        )

    def reports(self, count: int) -> list[BearerReport]:
        """Wait for so many reports."""
        return self.awaited.reports(self.master.take_reports, count)

    def counts(self, wanted: int) -> list[int]:
        """Wait for so many readings: their counts."""
        self.awaited.until(lambda: len(self.master._frames) >= wanted)
        frames = self.master.receive_until(0)
        assert all(frame.two_way for frame in frames)
        return [_count(frame.data) for frame in frames]


def _count(data: bytes) -> int:
    return count(decode_frame(data))


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    """Benches that are cleared away."""
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.master.close()
        bench.server.switch_off()


def test_every_meter_is_read_in_turn(benches: list[Bench]) -> None:
    """By primary and by secondary address; at once, and whenever it is asked for."""
    bus = Bus([Slave(5, SERIAL), Slave(6, "00000002")])
    secondary = MbusSlave(secondary=bytes.fromhex("02000000FFFFFFFF"))
    benches.append(Bench(bus, [MbusSlave(primary=5), secondary]))
    benches[0].master.poll()
    assert [1, 1] == benches[0].counts(2)
    benches[0].master.poll()
    assert [2, 2] == benches[0].counts(2)


def test_meters_are_read_by_themselves(benches: list[Bench]) -> None:
    """With a period, from the start on."""
    benches.append(Bench(Bus([Slave(5, SERIAL)]), [MbusSlave(primary=5)], period_s=900))
    assert [1] == benches[0].counts(1)


def test_a_meter_that_is_not_there_is_told(benches: list[Bench]) -> None:
    """With its address; the others are read."""
    slaves = [MbusSlave(primary=9), MbusSlave(primary=5)]
    benches.append(Bench(Bus([Slave(5, SERIAL)]), slaves))
    benches[0].master.poll()
    assert [1] == benches[0].counts(1)
    (_, unreached) = benches[0].reports(2)
    assert isinstance(unreached, UnitUnreached)
    assert ("9", "the slave 9 does not answer") == (unreached.unit, unreached.sentence)


def test_a_reply_goes_before_the_next_reading(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the next meter, which is not there, would have kept it waiting."""
    monkeypatch.setattr("collector.bearers.mbus_master._REPLY_S", LIMIT_S)
    benches.append(Bench(Bus([Slave(5, SERIAL)]), [MbusSlave(primary=5), MbusSlave(primary=9)]))
    bench = benches[0]
    bench.master.poll()
    bench.counts(1)
    bench.master.reply(SERIAL, bytes(17))
    (_, answered) = bench.reports(2)
    assert isinstance(answered, CommandAnswered)
    assert answered.is_obeyed


def test_a_command_that_fits_no_frame_is_told(benches: list[Bench]) -> None:
    """It ends nothing but itself."""
    benches.append(Bench(Bus([Slave(5, SERIAL)]), []))
    benches[0].master.reply(SERIAL, bytes(300))
    (_, answered) = benches[0].reports(2)
    assert isinstance(answered, CommandAnswered)
    assert "301 bytes do not fit a frame" == answered.sentence


@pytest.mark.parametrize("slave", [MbusSlave(primary=5), None])
def test_a_command_reaches_its_unit(slave: MbusSlave | None, benches: list[Bench]) -> None:
    """The one that was read under this serial, or one that is selected by it."""
    wired = Slave(5, SERIAL)
    benches.append(Bench(Bus([wired]), [slave] if slave else []))
    bench = benches[0]
    if slave:
        bench.master.poll()
        bench.counts(1)
    phase = seal_phase(AesBlock, bytes(16), 1, 1_000)
    bench.master.reply(SERIAL, phase)
    (_, answered) = bench.reports(2)
    assert isinstance(answered, CommandAnswered)
    assert (SERIAL, True, "") == (answered.serial, answered.is_obeyed, answered.sentence)
    assert [phase] == [data for data, _ in wired.unit.obeyed]


def test_a_command_does_not_reach_who_took_its_units_place(benches: list[Bench]) -> None:
    """Another unit at the same primary address is not told what was meant for the former."""
    bus, other = Bus([Slave(5, SERIAL)]), Slave(5, "00000002")
    benches.append(Bench(bus, [MbusSlave(primary=5)]))
    bench = benches[0]
    for slaves in (bus.slaves, [other]):
        with bench.server.lock:
            bus.slaves = slaves
        bench.master.poll()
        bench.counts(1)
    bench.master.reply(SERIAL, bytes(17))
    (_, answered) = bench.reports(2)
    assert isinstance(answered, CommandAnswered)
    assert (False, []) == (answered.is_obeyed, other.unit.obeyed)


def test_a_refused_command_is_told(benches: list[Bench]) -> None:
    """Why, for a person; and so is a serial that is none."""
    wired = Slave(5, SERIAL)
    wired.unit.refusal = 2
    benches.append(Bench(Bus([wired]), []))
    bench = benches[0]
    bench.master.reply(SERIAL, bytes(17))
    bench.master.reply("gas", bytes(17))
    (_, refused, unknown) = bench.reports(3)
    assert isinstance(refused, CommandAnswered)
    assert isinstance(unknown, CommandAnswered)
    assert (False, False) == (refused.is_obeyed, unknown.is_obeyed)
    assert refused.sentence.endswith("the command is not authentic: is it this unit's key")
    assert "a slave's serial has eight digits, not 'gas'" == unknown.sentence


def test_a_command_that_came_too_late_is_not_sent(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells the time: minutes later it would be wrong."""
    monkeypatch.setattr("collector.bearers.mbus_master.COMMAND_MAX_S", -1)
    wired = Slave(5, SERIAL)
    benches.append(Bench(Bus([wired]), []))
    benches[0].master.reply(SERIAL, bytes(17))
    (_, answered) = benches[0].reports(2)
    assert isinstance(answered, CommandAnswered)
    assert COMMAND_LATE == answered.sentence
    assert [] == wired.unit.obeyed


def test_a_scan_finds_meters_while_others_are_read(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By secondary address; readings that are asked for come in between."""
    monkeypatch.setattr("collector.mbus_scripts._DIGITS", 1)  # the last digit tells these apart
    bus = Bus([Slave(5, SERIAL), Slave(5, "12345679")])
    known = MbusSlave(secondary=bytes.fromhex("78563412FFFFFFFF"))
    benches.append(Bench(bus, [known]))
    bench = benches[0]
    bench.master.scan()
    bench.master.poll()
    assert [SERIAL, "12345679"] == found(bench)
    assert 1 <= len(bench.counts(1))


def found(bench: Bench) -> list[str]:
    """The serials that a scan has found, once it is through."""
    reports: list[BearerReport] = []

    def ended() -> bool:
        reports.extend(bench.master.take_reports())
        return any(isinstance(report, ScanEnded) for report in reports)

    bench.awaited.until(ended)
    slaves = [report for report in reports if isinstance(report, SlaveFound)]
    assert all(slave.is_alone and slave.data for slave in slaves)
    return [str(slave.address).split()[0] for slave in slaves]


def test_a_gateway_that_was_off_comes_back(benches: list[Bench]) -> None:
    """Its loss is reported, also at the start; the meters are read again afterwards."""
    bench = Bench(Bus([Slave(5, SERIAL)]), [MbusSlave(primary=5)])
    benches.append(bench)
    bench.reports(1)
    bench.server.switch_off()
    (lost,) = bench.reports(1)
    assert isinstance(lost, BearerLost)
    bench.server.switch_on()
    reports: list[BearerReport] = []

    def works() -> bool:
        reports.extend(bench.master.take_reports())
        return any(isinstance(report, BearerWorks) for report in reports)

    bench.awaited.until(works)
    bench.master.poll()
    assert [1] == bench.counts(1)


class NoisyPort:
    """A slave on a pseudo-terminal whose line bursts into noise."""

    def __init__(self, path: Path) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        path.symlink_to(os.ttyname(self._slave))
        self.bus = Bus([Slave(5, SERIAL)])
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        os.close(self._slave)
        os.close(self._master)

    def burst(self, size: int) -> None:
        """Noise."""
        noise = random.Random(3)
        for _ in range(size // 1024):
            os.write(self._master, noise.randbytes(1024))

    def _answer(self) -> None:
        try:
            while data := os.read(self._master, 4096):
                self.bus.now_ms += 1_000
                if heard := self.bus.send(data):
                    os.write(self._master, heard)
        except OSError:
            return


def test_a_megabyte_of_noise_costs_no_reading(tmp_path: Path) -> None:
    """Random bytes on the line between two readings: both succeed."""
    port = NoisyPort(tmp_path / "port")
    awaited = Awaited()
    url = str(tmp_path / "port")
    slaves = [MbusSlave(primary=5)]
    master = MbusMaster(url, slaves, parity="none", period_s=0, wake=awaited.wake)
    try:
        for expected in (1, 2):
            master.poll()
            awaited.until(lambda: bool(master._frames))
            assert [expected] == [_count(frame.data) for frame in master.receive_until(1 << 50)]
            port.burst(1 << 20)
    finally:
        master.close()
        port.close()


def test_a_speed_that_no_bus_has_is_refused() -> None:
    """At once, before any port is opened."""
    with pytest.raises(BearerSettingError, match="no speed of 19200"):
        MbusMaster("/dev/null", baud=19_200)
