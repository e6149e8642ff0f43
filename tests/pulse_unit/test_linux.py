from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulse_unit.board import INPUT_BUTTON, INPUT_MAGNET, INPUT_TAMPER
from pulse_unit.errors import ConfigError, PartLost
from pulse_unit.hal.linux import Part, SyncedNvm, static_address, stop
from pulse_unit.hal.linux_inputs import REED, GpioInputs, TextInputs
from shared.wire.telegram import FLAG_MAGNET, FLAG_TAMPER
from tests.pulse_unit.bench import LIMIT_S, Bench
from tests.pulse_unit.gpio_lines import Gpiod
from tests.pulse_unit.listening import KEY


def test_every_write_has_reached_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new memory is whole before it has its name; each later operation is synchronised."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    nvm = SyncedNvm(str(tmp_path / "memory"), 2)
    made = len(synced)
    assert (2, 8192) == (made, (tmp_path / "memory").stat().st_size)
    nvm.write(8, bytes(8))
    nvm.erase(1)
    assert made + 2 == len(synced)
    nvm.close()
    again = SyncedNvm(str(tmp_path / "memory"), 2)
    read = bytearray(16)
    again.read_into(0, read)
    assert b"\xff" * 8 + bytes(8) == read
    again.close()


def test_a_memory_is_for_one_process(tmp_path: Path) -> None:
    """Two that count on would each lose the other's pulses and use its counters again."""
    nvm = SyncedNvm(str(tmp_path / "memory"), 2)
    with pytest.raises(ConfigError, match="is running"):
        SyncedNvm(str(tmp_path / "memory"), 2)
    nvm.close()


def test_a_new_memory_is_for_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that make it at once, the second finds that of the first."""
    nvm = SyncedNvm(str(tmp_path / "memory"), 2)
    asked = iter([False, True, True])
    with monkeypatch.context() as patched:
        patched.setattr(Path, "exists", lambda _: next(asked))
        with pytest.raises(ConfigError, match="is running"):
            SyncedNvm(str(tmp_path / "memory"), 2)
    nvm.close()
    assert ["memory"] == [file.name for file in tmp_path.iterdir()]


def test_a_memory_that_is_replaced_is_not_owned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock would keep nobody from the file that now has its name."""
    file = tmp_path / "memory"
    SyncedNvm(str(file), 2).close()

    def replace(*_: object) -> None:
        file.unlink()
        file.write_bytes(b"\xff" * 8192)

    monkeypatch.setattr(fcntl, "flock", replace)
    with pytest.raises(ConfigError, match="was replaced"):
        SyncedNvm(str(file), 2)


def test_a_memory_that_finds_no_room_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence names the memory, and no part of it is left."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="memory cannot be made: No space left on device"):
        SyncedNvm(str(tmp_path / "memory"), 2)
    assert [] == list(tmp_path.iterdir())


def test_another_file_is_no_memory(tmp_path: Path) -> None:
    """It is refused as it is, not filled up."""
    (tmp_path / "memory").write_bytes(b"something else")
    with pytest.raises(ConfigError, match="no memory of a unit"):
        SyncedNvm(str(tmp_path / "memory"), 2)
    assert b"something else" == (tmp_path / "memory").read_bytes()


def test_the_address_is_static_and_the_units_own() -> None:
    """The same for a key after every start, random static, and another for another key."""
    address = static_address(KEY)
    assert (6, 0xC0, address) == (len(address), address[0] & 0xC0, static_address(KEY))
    assert address != static_address(bytes(16))


def test_a_task_cleans_up_before_it_is_cancelled_again() -> None:
    """One that takes a while over its end, and stops tasks of its own, is left to do so."""
    ended: list[str] = []

    async def inner() -> None:
        try:
            await asyncio.sleep(LIMIT_S)
        finally:
            await asyncio.sleep(0.2)
            ended.append("inner")

    async def outer() -> None:
        task = asyncio.create_task(inner())
        try:
            await task
        finally:
            await stop([task])
            ended.append("outer")

    async def scenario() -> None:
        task = asyncio.create_task(outer())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await stop([task])

    asyncio.run(scenario())
    assert ["inner", "outer"] == ended


def test_a_task_that_loses_its_cancellation_ends_all_the_same() -> None:
    """It is cancelled once more when it should have ended long since."""

    async def deaf() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(LIMIT_S)
        await asyncio.sleep(LIMIT_S)

    async def scenario() -> bool:
        task = asyncio.create_task(deaf())
        await asyncio.sleep(0)
        await stop([task], 0.05)
        return task.cancelled()

    assert asyncio.run(scenario())


@pytest.fixture
def pipe() -> Iterator[tuple[Any, Any]]:
    """Both ends of a pipe."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as inner, os.fdopen(writing, "wb", 0) as outer:
        yield inner, outer


def test_lines_of_text_are_pulses(tmp_path: Path, pipe: tuple[Any, Any]) -> None:
    """`closed`, `open`, and what is neither is said; after its end the unit goes on."""
    bench = Bench(tmp_path, TextInputs(pipe[0]))

    async def scenario() -> None:
        for line in (b"closed\n", b"x" * 9_000 + b"\n", b"open\r\n", b"CLOSED\n", b"open\n"):
            pipe[1].write(line)
            closed = line.strip().lower() == b"closed"
            if not line.startswith(b"x"):
                await bench.until(lambda closed=closed: bench.board.is_reed_closed() == closed)
            await bench.skip(3_000)
        pipe[1].write(b"magnt\nmagnt\nmag")
        await bench.until(lambda: len(bench.reports) == 2)
        pipe[1].write(b"net\n")
        await bench.until(lambda: bool(bench.board.take_inputs() & INPUT_MAGNET))
        assert os.get_blocking(pipe[0].fileno())
        pipe[1].close()
        await bench.skip(20_000)

    unit = bench.run(scenario)
    assert (2, FLAG_MAGNET) == (unit.count, unit.error_flags & FLAG_MAGNET)
    assert [
        f"standard input: there is no word {word!r}" for word in ("x" * 20, "magnt")
    ] == bench.reports


def test_an_input_that_is_closed_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service manager may leave it."""
    monkeypatch.setattr(sys, "stdin", None)
    bench = Bench(tmp_path, TextInputs())

    async def scenario() -> None:
        await bench.until(lambda: bool(bench.reports))

    bench.run(scenario)
    assert ["standard input is closed"] == bench.reports


def test_text_that_is_no_stream_is_one_sentence(tmp_path: Path) -> None:
    """A file or a device such as /dev/null has nothing to wait for."""
    with Path(os.devnull).open("rb") as nothing:
        bench = Bench(tmp_path, TextInputs(nothing))

        async def scenario() -> None:
            await bench.until(lambda: bool(bench.reports))

        bench.run(scenario)
    assert ["standard input is no pipe and no terminal"] == bench.reports


@pytest.fixture
def gpiod(monkeypatch: pytest.MonkeyPatch) -> Gpiod:
    """In the library's place."""
    fake = Gpiod()
    monkeypatch.setitem(sys.modules, "gpiod", fake)  # type: ignore[arg-type]  # as a module is
    return fake


def test_pins_are_pulses_and_switches(tmp_path: Path, gpiod: Gpiod) -> None:
    """With the kernel's instants, however late they are read; a chip that went away comes back."""
    bench = Bench(
        tmp_path,
        GpioInputs("gpiochip0", {17: REED, 22: INPUT_TAMPER, 27: INPUT_BUTTON}),
    )

    async def scenario() -> None:
        await bench.until(lambda: bool(gpiod.lines))
        start_ns = bench.clock_ns()
        for at_ms in (0, 4_000, 8_000):
            gpiod.lines[0].happen(17, True, start_ns + at_ms * 1_000_000)
            gpiod.lines[0].happen(17, False, start_ns + (at_ms + 1_000) * 1_000_000)
        await bench.skip(20_000)
        await bench.until(lambda: bench.unit.count == 3)
        assert not bench.unit.is_pairing_open(bench.board.uptime_ms())
        gpiod.lines[0].happen(27, True, bench.clock_ns())
        await bench.until(lambda: bench.unit.is_pairing_open(bench.board.uptime_ms()))
        gpiod.lines[0].unplug()
        await bench.until(lambda: len(gpiod.lines) == 2)
        assert 0 == bench.unit.error_flags & FLAG_TAMPER
        gpiod.lines[1].happen(22, False, bench.clock_ns())
        await bench.until(lambda: bool(bench.unit.error_flags & FLAG_TAMPER))

    bench.run(scenario)
    path, wanted = gpiod.requests[0]
    assert ("/dev/gpiochip0", [(17, 22, 27)]) == (path, list(wanted["config"]))
    assert {"edge_detection": "both", "bias": "pull-up", "active_low": True} == wanted["config"][
        (17, 22, 27)
    ]
    assert [
        "the lines of /dev/gpiochip0 are gone: [Errno 19] No such device",
        "gpiochip0 works again",
    ] == bench.reports


def test_a_reed_that_rests_closed_is_no_pulse(tmp_path: Path, gpiod: Gpiod) -> None:
    """At a start, and when its chip comes back; its next closing is one."""
    gpiod.active = {17}
    bench = Bench(tmp_path, GpioInputs("gpiochip0", {17: REED}), closed=True)

    async def scenario() -> None:
        await bench.until(lambda: bool(gpiod.lines))
        await bench.skip(5_000)
        gpiod.lines[0].unplug()
        await bench.until(lambda: len(gpiod.lines) == 2)
        await bench.skip(5_000)
        assert 0 == bench.unit.count
        for closed in (False, True):
            gpiod.lines[1].happen(17, closed, bench.clock_ns())
            await bench.until(lambda closed=closed: bench.board.is_reed_closed() == closed)
            await bench.skip(3_000)

    assert 1 == bench.run(scenario).count


def test_pins_without_their_library_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(ConfigError, match="the extra gpio"):
        GpioInputs("gpiochip0", {17: REED})


def test_a_part_that_fails_in_its_own_way_is_reported_too(tmp_path: Path) -> None:
    """A mistake in one part is a sentence, and the count goes on."""

    class Broken(Part):
        name = "the part"

        async def run(self, opened: Callable[[], None]) -> None:
            opened()
            raise KeyError("no")

    class Ending(Part):
        name = "the other"

        async def run(self, opened: Callable[[], None]) -> None:
            raise PartLost("it is off")

    bench = Bench(tmp_path, Broken(), Ending())

    async def scenario() -> None:
        await bench.until(lambda: len(bench.reports) > 1)

    bench.run(scenario)
    assert ["it is off", "the part has failed: KeyError('no')"] == sorted(bench.reports)
