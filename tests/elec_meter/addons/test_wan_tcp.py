from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from iec62056_21.client import Iec6205621Client

from elec_meter.addons.errors import OutletError, SettingError
from elec_meter.addons.limits import USUAL
from elec_meter.addons.settings import Settings
from elec_meter.addons.throttle import Throttle
from elec_meter.addons.wan_line import _SLOWER
from elec_meter.addons.wan_settings import WanSettings
from elec_meter.addons.wan_tcp import Pace, Wan
from tests.elec_meter.addons.head_end import (
    HALF_HOUR,
    FastPace,
    HeadEnd,
    WiredMeter,
    dropped,
    until,
)
from tests.elec_meter.flag.lines import BREAK, SIGN_ON
from tests.elec_meter.flag.programmer import NOON, PROGRAM

ELECTRICITY, GAS = "0100630100ff", "0001180300ff"
Talk = Callable[[WiredMeter, Wan, "asyncio.Task[None]", FastPace], Awaitable[None]]


def played(talk: Talk, state: Path | None = None, meter: WiredMeter | None = None, **told: str):
    """A module at work beside a talk; what it writes down is in `state`."""
    meter = meter or WiredMeter()

    async def play() -> WiredMeter:
        fast = FastPace()
        file = {"state_file": str(state)} if state else {}
        settings = WanSettings.of(Settings({"tls": "off", **file, **told}))
        async with asyncio.timeout(60), meter.line() as line:
            wan = Wan(line, settings, Pace(fast.sleep, delivery_s=0.5, hold_s=5.0))
            task = asyncio.create_task(wan.run())
            try:
                await talk(meter, wan, task, fast)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        return meter

    return asyncio.run(play())


def pushing(talk: Callable[..., Awaitable[None]], state: Path, manner: str = "confirms", **told):
    """A module that forwards to a head end on the loopback."""

    async def play() -> HeadEnd:
        head_end = await HeadEnd().start()
        head_end.manner = manner
        meter, fast = WiredMeter(), FastPace()
        values = {"tls": "off", "state_file": str(state), "push": f"127.0.0.1:{head_end.port}"}
        settings = WanSettings.of(Settings({**values, **told}))
        async with asyncio.timeout(60), meter.line() as line:
            wan = Wan(line, settings, Pace(fast.sleep, delivery_s=0.5))
            task = asyncio.create_task(wan.run())
            try:
                await talk(meter, wan, task, fast, head_end)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await head_end.stop()
        return head_end

    return asyncio.run(play())


def ends(count: int) -> list:
    """When the first half-hours of the meter end."""
    return [NOON + HALF_HOUR * number for number in range(1, count + 1)]


def test_half_hours_are_forwarded_once(tmp_path: Path) -> None:
    """Each with its values, in order, over one connection; the file says how far it is."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 2.1)
        await until(lambda: len(head_end.rows) >= 2, task)
        await meter.live(wan, 1)
        await until(lambda: len(head_end.rows) >= 3, task)
        asked = meter.asked
        await until(lambda: meter.asked > asked + 20, task)

    head_end = pushing(talk, tmp_path / "state")
    assert ends(3) == head_end.rows
    assert 1 == head_end.connections
    serial, code, rows = head_end.told[0]
    assert ("00000001", ELECTRICITY) == (serial, code)
    assert [0, 0, 0, 0, 0] == rows[0][1]
    assert "2026-04-01T13:30:00+00:00" in (tmp_path / "state").read_text()


def test_a_head_end_that_is_away_for_an_hour_misses_nothing(tmp_path: Path) -> None:
    """It is tried ever more rarely, up to five minutes apart, and then has every row once."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 1.1)
        await until(lambda: len(head_end.rows) == 1, task)
        await head_end.stop()
        await meter.live(wan, 2)
        await until(lambda: sum(each for each in fast.slept if each != 60) > 3_600, task)
        pauses = [each for each in fast.slept if each != 60]
        assert [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] == pauses[:11]
        await meter.live(wan, 1)
        await head_end.start()
        await until(lambda: len(head_end.rows) >= 4, task)

    head_end = pushing(talk, tmp_path / "state")
    assert ends(4) == head_end.rows


@pytest.mark.parametrize(
    "manner", ["closes half way", "sends garbage", "is silent", "confirms another"]
)
def test_a_bad_head_end_costs_nothing(tmp_path: Path, manner: str) -> None:
    """What it has not acknowledged is sent again, and is there once it behaves."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 1.1)
        await until(lambda: head_end.heard >= 2, task)
        assert not (tmp_path / "state").exists()
        assert any("cannot forward to 127.0.0.1" in each for each in meter.said)
        head_end.manner = "confirms"
        await until(lambda: head_end.rows, task)

    assert ends(1) == pushing(talk, tmp_path / "state", manner).rows


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    """The module looks again and again, and has every half-hour when there is room again."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 1.1)
        await until(lambda: len(head_end.rows) == 1, task)
        meter.is_full = True
        await meter.live(wan, 1)
        asked, slept = meter.asked, len(fast.slept)
        await until(lambda: meter.asked > asked + 20 and len(fast.slept) > slept + 2, task)
        assert ends(1) == head_end.rows
        meter.is_full = False
        await until(lambda: len(head_end.rows) == 2, task)

    assert ends(2) == pushing(talk, tmp_path / "state").rows


def test_a_module_that_starts_again_goes_on_where_it_was(tmp_path: Path) -> None:
    """The file has it; nothing is told twice."""

    async def first(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 3.1)
        await until(lambda: len(head_end.rows) == 3, task)

    async def second(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 5.1)
        await until(lambda: head_end.rows, task)

    pushing(first, tmp_path / "state")
    assert ends(5)[3:] == pushing(second, tmp_path / "state").rows


def test_a_month_goes_out_in_bounded_messages(tmp_path: Path) -> None:
    """A day at a time, up to the oldest that is kept, in few bytes a row."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 48 * 5 + 0.1)
        await until(lambda: wan.forwarding.rows >= 48 * 3, task)
        assert wan.forwarding.octets / wan.forwarding.rows < 15

    head_end = pushing(talk, tmp_path / "state", keep_days="3")
    assert ends(48 * 5)[48 * 2 :] == head_end.rows
    assert max(len(rows) for _, _, rows in head_end.told) <= 96


def test_gas_waits_until_it_is_known(tmp_path: Path) -> None:
    """Half-hours of a unit that was never heard are not sent, and hold nothing else up."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 2.1)
        await until(lambda: len(head_end.rows) >= 2, task)

    head_end = pushing(talk, tmp_path / "state", profiles="0-1:24.3.0,1-0:99.1.0")
    assert {ELECTRICITY} == {code for _, code, _ in head_end.told}


def test_a_profile_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With the meter's own number of the refusal."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await until(lambda: meter.said, task)
        assert "the meter refuses to say the rows of the profile: ER06" in meter.said[0]

    pushing(talk, tmp_path / "state", profiles="1-0:99.9.0")


@pytest.mark.parametrize("noises", [1, 2])
def test_a_garbled_line_is_asked_again(tmp_path: Path, noises: int) -> None:
    """Noise instead of an answer loses no row."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 1.1)
        meter.noises = noises
        await until(lambda: head_end.rows and not meter.noises, task)

    assert ends(1) == pushing(talk, tmp_path / "state").rows


def test_a_head_end_reads_through_the_module() -> None:
    """A client that nobody here wrote has the readout, again and again, on one connection."""

    async def talk(meter, wan, task, fast) -> None:
        await until(lambda: meter.said, task)
        host, port = meter.said[0].removeprefix("listens on ").split(":")
        for _ in range(2):
            values = await asyncio.to_thread(read_with_a_client, host, int(port))
            assert "00000001" == values["0.0.0"]

    played(talk, listen="127.0.0.1:0")


def read_with_a_client(host: str, port: int) -> dict[str, str]:
    """The readout by address."""
    client = Iec6205621Client.with_tcp_transport((host, port))
    client.connect()
    try:
        return {each.address: each.value for each in client.standard_readout().data}
    finally:
        client.disconnect()


def test_the_module_dials_out_and_asks_between_sessions(tmp_path: Path) -> None:
    """A head end that was dialled signs on; after its break half-hours are read as before."""

    async def play() -> None:
        called: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        calls = await asyncio.start_server(
            lambda *streams: called.put_nowait(streams), "127.0.0.1", 0
        )
        port = calls.sockets[0].getsockname()[1]

        async def talk(meter, wan, task, fast, head_end) -> None:
            reader, writer = await called.get()
            for _ in range(3):
                writer.write(SIGN_ON)
                assert b"/HHY6\\2HALFHOURLY\r\n" == await reader.readline()
                writer.write(PROGRAM)
                assert (await reader.readuntil(b"\x03")).startswith(b"\x01P0")
                await reader.readexactly(1)
                asked = meter.asked
                writer.write(BREAK)
                await until(lambda asked=asked: meter.asked > asked, task)
            await meter.live(wan, 1.1)
            await until(lambda: head_end.rows, task)
            await dropped(writer)
            _, another = await called.get()
            await dropped(another)
            assert any("it has closed the connection" in each for each in meter.said)

        head_end = await HeadEnd().start()
        meter, fast = WiredMeter(), FastPace()
        values = {"tls": "off", "state_file": str(tmp_path / "state")}
        places = {"connect": f"127.0.0.1:{port}", "push": f"127.0.0.1:{head_end.port}"}
        async with asyncio.timeout(60), meter.line() as line:
            wan = Wan(line, WanSettings.of(Settings({**values, **places})), Pace(fast.sleep))
            task = asyncio.create_task(wan.run())
            await talk(meter, wan, task, fast, head_end)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        calls.close()
        while not called.empty():
            await dropped(called.get_nowait()[1])
        await head_end.stop()

    asyncio.run(play())


def test_a_head_end_that_leaves_half_way_leaves_the_line_clean() -> None:
    """Whoever comes next, and the module itself, are answered as if nobody had been there."""

    async def talk(meter, wan, task, fast) -> None:
        await until(lambda: meter.said, task)
        host, port = meter.said[0].removeprefix("listens on ").split(":")
        for said in (
            SIGN_ON + PROGRAM + b"\x01R3\x02P.1.0(",
            SIGN_ON,
            SIGN_ON + b"\x06060\r\n",
            b"\xff" * 5_000,
        ):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(said)
            await writer.drain()
            await dropped(writer)
        heard = b""
        while not heard.startswith(b"/HHY6"):
            with suppress(ConnectionError):
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(BREAK + SIGN_ON)
                heard = await reader.readline()
                writer.write(BREAK)
                await writer.drain()
                await dropped(writer)
        asked = meter.asked
        await until(lambda: meter.asked > asked + 3, task)

    played(talk, listen="127.0.0.1:0")


def test_a_head_end_in_a_hurry_is_no_flood() -> None:
    """The pace of the module keeps it below what the slot lets through, for ten minutes."""
    slot, module, at_s = Throttle(USUAL, 0.0), Throttle(_SLOWER, 0.0), 0.0
    while at_s < 600.0:
        module.spend(256, at_s)
        slot.spend(256, at_s)
        assert not slot.is_flooded(at_s)
        assert 0.0 == slot.wait_s(at_s)
        at_s += module.wait_s(at_s) + 0.0001


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({}, "needs the setting connect, listen or push"),
        ({"connect": "head.end:1", "tls": "off"}, "serves this computer alone, not head.end:1"),
        ({"listen": "127.evil:1", "tls": "off"}, "serves this computer alone, not 127.evil:1"),
        ({"listen": "0.0.0.0:1"}, "needs certificate_file, and ca_file"),
        ({"push": "head.end:1"}, "the setting push needs state_file"),
        ({"push": "127.0.0.1:1", "state_file": "x", "profiles": "P"}, "names no OBIS code: 'P'"),
        ({"connect": "head.end:1", "tls": "maybe"}, "the setting tls is on or off"),
        ({"connect": "[::1]:1", "tls": "off", "ca_file": "x"}, "for the setting tls on"),
        ({"connect": "head.end:1", "ca_file": "/not/there"}, "which cannot be read"),
        ({"connect": "head.end:0"}, "nobody can be called at port 0"),
        ({"listen": "head.end:65536"}, "asks for port 65536; ports end at 65535"),
        ({"push": "head.end:1", "state_file": "/not/there/state"}, "no folder /not/there"),
        ({"connect": "head.end:1", "lisen": ""}, "there is no setting 'lisen'"),
    ],
)
def test_a_setting_that_is_wrong_is_said(told: dict[str, str], sentence: str) -> None:
    """In one sentence."""
    with pytest.raises(SettingError, match=sentence):
        WanSettings.of(Settings(told))


def test_a_file_that_is_another_is_not_taken(tmp_path: Path) -> None:
    """Nor is anything sent by it."""
    state = tmp_path / "state"
    for text in ("[]", "{", '{"number": 1}', '{"number": 1, "through": {"1-0:99.1.0": "soon"}}'):
        state.write_text(text)
        with pytest.raises(SettingError, match="a file that this module has not written"):
            played(lambda *_: asyncio.sleep(0), state, push="127.0.0.1:1")


def test_a_port_that_is_taken_ends_the_module() -> None:
    """With a sentence."""

    async def talk(meter, wan, task, fast) -> None:
        await until(lambda: meter.said, task)
        address = meter.said[0].removeprefix("listens on ")
        async with WiredMeter().line() as line:
            settings = WanSettings.of(Settings({"tls": "off", "listen": address}))
            with pytest.raises(OutletError, match=f"cannot listen on {address}"):
                await Wan(line, settings).run()

    played(talk, listen="127.0.0.1:0")


def test_old_half_hours_are_not_kept_for_ever(tmp_path: Path) -> None:
    """What is older than asked for is left to whoever reads the meter."""

    async def talk(meter, wan, task, fast, head_end) -> None:
        await meter.live(wan, 48 * 2 + 0.1)
        await until(lambda: len(head_end.rows) >= 48, task)

    head_end = pushing(talk, tmp_path / "state", keep_days="1")
    assert NOON + timedelta(days=1) + HALF_HOUR == head_end.rows[0]
