from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from elec_meter.addon_lines import AddonLines
from elec_meter.addons.limits import Limits
from elec_meter.addons.slot import News, Slots, Surroundings
from elec_meter.config import AddonConfig, AddonSetting
from elec_meter.errors import CheckpointFailedError
from tests.elec_meter.addons import modules_for_tests
from tests.elec_meter.addons.reading_out import module_session
from tests.elec_meter.flag.lines import busy_meter
from tests.elec_meter.flag.programmer import Desktop

QUICK = Limits(
    check_s=0.05,
    window_s=3.0,
    flood_s=3.0,
    silence_s=6.0,
    first_pause_s=0.2,
    first_cut_s=1_000.0,
    stable_s=600.0,
    burst_bytes=16_384,
)


class Meter:
    """A meter with a slot, and what it heard of its modules."""

    def __init__(self) -> None:
        self.meter = busy_meter()
        self.version = 1
        self.addons: tuple[AddonConfig, ...] = ()
        self.news: list[tuple[News, str]] = []
        self.said: list[tuple[str, str]] = []
        self.served = 0
        self.refused = 0
        self.is_full = False
        self.slots: Slots

    def session(self, addon: AddonConfig, now: datetime) -> Any:
        """A FLAG session that counts what it answers."""
        session = module_session(self.meter, addon, durable=self.durable)
        receive = session.receive_data

        def receive_data(data: bytes, now: datetime) -> bytes:
            reply = receive(data, self.meter.now)
            self.served += len(reply)
            return reply

        session.receive_data = receive_data  # type: ignore[method-assign]  # a test looks on
        return session

    def durable(self) -> None:
        """What a readout waits for, which a full disk does not give it."""
        if self.is_full:
            self.refused += 1
            raise CheckpointFailedError("the disk is full")

    def surroundings(self) -> Surroundings:
        """What the slot gets."""
        return Surroundings(
            session=self.session,
            version=lambda: self.version,
            tell=lambda news, sentence: self.news.append((news, sentence)),
            say=lambda name, sentence: self.said.append((name, sentence)),
            limits=QUICK,
        )

    def status(self, name: str) -> dict[str, Any]:
        """Of one module."""
        return next(each for each in self.slots.status() if each["name"] == name)


def module(name: str, budget_ma: int = 1_000, **settings: str) -> AddonConfig:
    """A module of the tests' package."""
    listed = tuple(AddonSetting(name=each, value=value) for each, value in settings.items())
    return AddonConfig(name=name, module=name, budget_ma=budget_ma, settings=listed)


@pytest.fixture
def living(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Meter], Awaitable[None]], tuple[AddonConfig, ...]], Meter]:
    """Runs a meter with these modules while a talk lasts."""
    monkeypatch.syspath_prepend(str(modules_for_tests.install(tmp_path)))

    def live(talk: Callable[[Meter], Awaitable[None]], addons: tuple[AddonConfig, ...]) -> Meter:
        async def run() -> Meter:
            meter = Meter()
            meter.addons = addons
            meter.slots = Slots(meter.surroundings(), lambda: meter.addons)
            try:
                async with asyncio.timeout(60):
                    await talk(meter)
            finally:
                await meter.slots.close()
            return meter

        return asyncio.run(run())

    return live


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    while True:
        with contextlib.suppress(StopIteration):
            if condition():
                return
        await asyncio.sleep(0.02)


Living = Callable[[Callable[[Meter], Awaitable[None]], tuple[AddonConfig, ...]], Meter]


def test_a_module_reads_the_meter(living: Living) -> None:
    """It has the register, and what it says is told on; what it drew is accounted."""

    async def talk(meter: Meter) -> None:
        await until(lambda: ("good", "import 000123.463") in meter.said)
        await until(lambda: meter.status("good")["charge_mas"])

    meter = living(talk, (module("good"),))
    assert [] == meter.news


def test_a_module_reads_a_meter_whose_time_flies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours pass between its question and the answer: it is not taken to have waited them."""
    monkeypatch.syspath_prepend(str(modules_for_tests.install(tmp_path)))
    desktop, said = Desktop(), []

    def flying() -> datetime:
        desktop.now += timedelta(hours=1)
        return desktop.now

    async def talk() -> None:
        lines = AddonLines(
            desktop.meter,
            desktop.desk,
            flying,
            desktop.durable,
            (module("good"),),
            lambda _, sentence: said.append(sentence),
        )
        slots = lines.open()
        try:
            async with asyncio.timeout(60):
                await until(lambda: said)
        finally:
            await slots.close()

    asyncio.run(talk())
    assert "import 000000.000" == said[0]


def test_a_module_has_nothing_else_of_the_meter(
    living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No open database, no environment but its own, another directory; its settings come in."""
    monkeypatch.setenv("SECRET_OF_THE_METER", "1")

    async def talk(meter: Meter) -> None:
        await until(lambda: meter.said)

    ((_, said), *_) = living(talk, (module("prying", word="hello"),)).said
    assert said.startswith("[] [")
    assert said.endswith("/ hello")
    assert "SECRET" not in said


@pytest.mark.parametrize(
    ("name", "news", "sentence"),
    [
        ("crashing", News.STOPPED, "it ended: RuntimeError: a [31mbug"),
        ("hung", News.STOPPED, "it hung"),
        ("deaf", News.CUT, "it flooded its line"),
        ("busy", News.CUT, "it drew more than its budget"),
        ("flooding", News.CUT, "it flooded its line"),
        ("greedy", News.STOPPED, "it ended: MemoryError"),
        ("missing", News.STOPPED, "there is no add-on module 'missing'"),
    ],
)
def test_a_bad_module_is_switched_off_and_another_runs_on(
    living: Living, name: str, news: News, sentence: str
) -> None:
    """The log says why, once; whoever behaves beside it is served all the time."""
    budget_ma = 40 if name == "busy" else 1_000

    async def talk(meter: Meter) -> None:
        await until(lambda: meter.news)
        count = len(meter.said)
        await until(lambda: len([each for each in meter.said[count:] if each[0] == "good"]) > 3)

    meter = living(talk, (module(name, budget_ma), module("good")))
    ((first, text), *_) = meter.news
    assert news is first
    assert sentence in text
    assert f"add-on module {name} " in text
    assert 1 == len([each for each in meter.news if f" {name} " in each[1]])


def test_a_crashing_module_is_started_again(living: Living) -> None:
    """Again and again, with one entry in the log, in which nothing is for a terminal to obey."""

    async def talk(meter: Meter) -> None:
        await until(lambda: meter.status("crashing")["restarts"] >= 2)

    meter = living(talk, (module("crashing"),))
    assert 1 == len(meter.news)
    assert meter.news[0][1].endswith("a [31mbug")
    assert all(said.isprintable() for _, said in meter.said)


def test_a_flood_is_throttled(living: Living) -> None:
    """Before it is cut off, it gets the stated rate."""
    loop_s = []

    async def talk(meter: Meter) -> None:
        await until(lambda: meter.served)
        begun_s = asyncio.get_running_loop().time()
        await until(lambda: meter.news)
        loop_s.append(asyncio.get_running_loop().time() - begun_s)

    meter = living(talk, (module("flooding"),))
    assert meter.served <= QUICK.burst_bytes + QUICK.rate_bytes_per_s * (loop_s[0] + 2)


def test_a_module_may_talk_without_end(living: Living) -> None:
    """Its last line is kept, cut to size, and the rest costs nothing."""

    async def talk(meter: Meter) -> None:
        await until(lambda: len(meter.said) > 3)
        assert len(meter.status("chatty")["said"]) <= 200

    living(talk, (module("chatty"),))


def test_modules_follow_the_configuration(living: Living) -> None:
    """One that is taken out is gone, one that changes starts anew, readouts are the new ones."""

    async def talk(meter: Meter) -> None:
        await until(lambda: meter.said)
        meter.meter.book("import", 1_000)
        meter.version += 1
        await until(lambda: ("good", "import 000124.463") in meter.said)
        meter.addons = (module("prying", word="one"),)
        await until(lambda: any(said.endswith("one") for _, said in meter.said))
        assert ["prying"] == [each["name"] for each in meter.slots.status()]
        meter.addons = (module("prying", word="two"),)
        await until(lambda: any(said.endswith("two") for _, said in meter.said))
        meter.addons = ()
        await until(lambda: not meter.slots.status())

    living(talk, (module("good"),))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of processes so")
def test_nothing_is_left_when_the_slot_is_closed(living: Living) -> None:
    """The processes are gone."""

    async def talk(meter: Meter) -> None:
        await until(lambda: meter.said)
        assert children()

    living(talk, (module("good"), module("hung")))
    assert not children()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of processes so")
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13])
def test_a_slot_may_be_closed_while_a_module_starts(living: Living, steps: int) -> None:
    """However far the start has come, no process is left."""

    async def talk(meter: Meter) -> None:
        for _ in range(steps):
            await asyncio.sleep(0.002)

    living(talk, (module("good"),))
    assert not children()


def children(module: str = "") -> list[int]:
    """Processes of modules that this process has, or of one module."""
    wanted = {"elec_meter.addons", module} - {""}
    found = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    return [pid for pid in found if wanted <= words_of_child(pid)]


def words_of_child(pid: int) -> set[str]:
    """The command line of a child of this process; nothing of any other, or of one that ended."""
    # Any process of the machine may end between two of these looks.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        _, _, after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        if os.getpid() == int(after_name.split()[1]):
            return set(Path(f"/proc/{pid}/cmdline").read_text().split("\0"))
    return set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of processes so")
@pytest.mark.parametrize("steps", range(4))
def test_a_slot_may_be_closed_while_a_module_is_taken_out(living: Living, steps: int) -> None:
    """However far that has come, no process is left."""

    async def talk(meter: Meter) -> None:
        await until(lambda: meter.said)
        meter.addons = ()
        await until(lambda: not meter.slots.status())
        for _ in range(steps):
            await asyncio.sleep(0)

    living(talk, (module("good"),))
    assert not children()


P1 = AddonConfig(
    name="p1", module="p1", settings=(AddonSetting(name="listen", value="127.0.0.1:0"),)
)
WAN = AddonConfig(
    name="wan",
    module="wan_tcp",
    settings=tuple(
        AddonSetting(name=name, value=value)
        for name, value in (("listen", "127.0.0.1:0"), ("tls", "off"), ("interval_s", "1"))
    ),
)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of processes so")
@pytest.mark.parametrize(
    ("addon", "sent", "cause"),
    [
        (P1, signal.SIGKILL, "it ended"),
        (WAN, signal.SIGKILL, "it ended"),
        (WAN, signal.SIGSTOP, "it hung"),
    ],
    ids=["p1 killed", "wan_tcp killed", "wan_tcp stopped"],
)
def test_a_shipped_module_is_started_again(
    living: Living, addon: AddonConfig, sent: signal.Signals, cause: str
) -> None:
    """Killed or stopped, it listens again soon; whoever is beside it is served all the time."""

    async def talk(meter: Meter) -> None:
        await until(lambda: addon.name in meter.slots.places and len(meter.said) > 1)
        for pid in children(addon.module):
            os.kill(pid, sent)
        await until(lambda: meter.news)
        await until(lambda: addon.name in meter.slots.places)
        count = len(meter.said)
        await until(lambda: len([each for each in meter.said[count:] if each[0] == "good"]) > 3)

    meter = living(talk, (addon, module("good")))
    assert [f"the add-on module {addon.name} was switched off: {cause}"] == [
        sentence.partition(":")[0] + ": " + cause for _, sentence in meter.news if cause in sentence
    ]


def test_a_flood_of_a_head_end_stays_outside(living: Living) -> None:
    """Who floods the port of wan_tcp is slowed down, and the module is not cut off for it."""

    async def talk(meter: Meter) -> None:
        await until(lambda: "wan" in meter.slots.places)
        host, port = meter.slots.places["wan"].split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        served = meter.served
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(QUICK.flood_s + 1):
                while True:
                    writer.write(b"/?!\r\n" * 50)
                    await writer.drain()
                    await asyncio.sleep(0.001)
        writer.transport.abort()
        await until(lambda: meter.served > served)

    assert [] == living(talk, (WAN,)).news
